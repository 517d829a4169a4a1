namespace Helix.Runbooks.Reports;

public static partial class HtmlReport
{
    const string Style = """

        :root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #f3f4f6; --line: #d0d5dc; --good: #1a7f37; --fair: #8a5a00; --bad: #b42318;
          --machine: #2563a8; --people: #b26a00; --time: #6b6f76; --retry: #b42318; --suspended: #8250a8; --plan: #9aa3ad; }
        @media screen and (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --paper: #14171b; --soft: #1f242b; --line: #3a424d; --good: #56c271; --fair: #e0b04c; --bad: #ff8a7d;
          --machine: #6aa9ee; --people: #f0b45a; --time: #a0a6b0; --retry: #ff8a7d; --suspended: #c69af0; --plan: #6b7480; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
        main { max-width: 72rem; margin: 0 auto; padding: 1rem; }
        h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.15rem; margin: 1.75rem 0 .5rem; }
        .verdict { font-size: 1.1rem; border-left: .4rem solid var(--fair); background: var(--soft); padding: .6rem .8rem; margin: .5rem 0; overflow-wrap: anywhere; }
        .verdict.good { border-color: var(--good); } .verdict.bad { border-color: var(--bad); }
        .word { font-weight: 700; text-transform: uppercase; font-size: .8em; letter-spacing: .05em; margin-right: .4rem; }
        .down { border: 3px solid var(--bad); padding: .2rem 1rem; margin: 1rem 0; } .down h2 { margin: .5rem 0 0; color: var(--bad); }
        .cards { display: flex; flex-wrap: wrap; gap: .75rem; margin-bottom: .75rem; }
        .card { border: 1px solid var(--line); border-top: .35rem solid var(--line); padding: .5rem .9rem; display: flex; flex-direction: column; min-width: 9rem; flex: 1; }
        .card.good { border-top-color: var(--good); } .card.bad { border-top-color: var(--bad); } .value { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
        table { border-collapse: collapse; width: 100%; font-size: .9rem; } th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid var(--line); overflow-wrap: break-word; white-space: pre-wrap; } td.long { overflow-wrap: anywhere; } td.short { white-space: nowrap; }
        th { background: var(--soft); } td:first-child { font-weight: 600; }
        .legend { display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .85rem; padding: 0; list-style: none; } .legend svg { width: 1.6rem; height: .8rem; margin-right: .3rem; vertical-align: middle; }
        .row { display: grid; grid-template-columns: 14rem 1fr; gap: .1rem .75rem; align-items: center; padding: .25rem 0; border-bottom: 1px solid var(--line); font-size: .85rem; }
        .row svg { width: 100%; height: 1.5rem; display: block; background: var(--soft); } .row .told { grid-column: 2; color: var(--ink); overflow-wrap: anywhere; } .row .path { overflow-wrap: anywhere; font-weight: 600; }
        .machine { fill: var(--machine); } .waiting-for-people { fill: var(--people); } .waiting-for-time { fill: var(--time); } .retry { fill: var(--retry); } .suspended { fill: var(--suspended); } .plan { fill: var(--plan); }
        @media (max-width: 40rem) {
          .row { grid-template-columns: 1fr; } .row .told { grid-column: 1; }
          table, tbody, tr, td { display: block; } thead { display: none; } tr { border-bottom: 2px solid var(--line); padding: .3rem 0; } td { border: 0; padding: .1rem 0; } td:empty { display: none; }
          td[data-head]:not([data-head=""])::before { content: attr(data-head) ": "; font-weight: 400; opacity: .75; } }
        @page { margin: 15mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9px system-ui, sans-serif; color: #57606a; } }
        @media print { :root { font-size: 10.5px; } body { font-size: 1rem; } main { max-width: none; padding: 0; } .row { grid-template-columns: 16rem 1fr; } tr, .row, .card { break-inside: avoid; } h2 { break-after: avoid; } * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
        
        """;
}
