// Keeps an open page up to date: regions come over server-sent events, clocks tick here. Every page is whole without it.
(() => {
  const main = document.querySelector("main");
  const line = document.getElementById("line");
  const seconds = span => {
    const s = Math.floor(Math.abs(span) / 1000), two = n => String(n).padStart(2, "0");
    return (span < 0 ? "-" : "") + Math.floor(s / 3600) + ":" + two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
  };

  // The clock of this machine may be wrong: the server says how late it is there, and only differences count.
  let ahead = Date.now() - +main.dataset.now;
  const tick = () => {
    const now = Date.now() - ahead;
    for (const e of document.querySelectorAll("[data-since]")) e.textContent = seconds(now - +e.dataset.since);
    for (const e of document.querySelectorAll("[data-until]")) {
      const left = +e.dataset.until - now;
      e.textContent = left > 0 ? "(" + seconds(left) + " left)" : "(over)";
    }
  };
  tick();
  setInterval(tick, 1000);

  // A form that somebody fills in, or in which the focus stands, is never taken away; it is renewed when it is left.
  const filled = f => f.matches("select") ? f.selectedIndex !== Math.max(0, [...f.options].findLastIndex(o => o.defaultSelected))
    : f.type === "radio" || f.type === "checkbox" ? f.checked !== f.defaultChecked : f.value !== f.defaultValue;
  const busy = region => {
    const at = document.activeElement;
    if (at && region.contains(at) && at.closest("form")) return true;
    return [...region.querySelectorAll("input:not([type=hidden]), select, textarea")].some(filled);
  };
  // Whoever goes by keyboard stays where he is when a region is renewed around him: at the same link or heading.
  const keepFocus = (region, renew) => {
    const name = e => e.getAttribute("href") ?? e.textContent, at = document.activeElement;
    const same = e => [...region.querySelectorAll("a, summary")].filter(o => name(o) === name(e));
    const nth = at && region.contains(at) ? same(at).indexOf(at) : -1;
    renew();
    if (nth >= 0) same(at)[nth]?.focus({ preventScroll: true });
  };
  const waiting = new Map();
  const show = (id, html) => {
    const region = document.getElementById(id);
    if (!region) return;
    const gone = id === "questions" && !html.includes("<form");
    if (busy(region) && !gone) { waiting.set(id, html); return; }
    waiting.delete(id);
    const open = [...region.querySelectorAll("details")].map(d => d.open);
    keepFocus(region, () => {
      region.innerHTML = html;
      const now = [...region.querySelectorAll("details")];
      if (now.length === open.length) now.forEach((d, i) => d.open = open[i]);
    });
    tick();
  };
  document.addEventListener("focusout", () => setTimeout(() => waiting.forEach((html, id) => show(id, html)), 50));

  const log = document.getElementById("log");
  if (log) log.scrollTop = log.scrollHeight;
  const write = lines => {
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 30;
    for (const l of lines) {
      const item = document.createElement("li"), time = document.createElement("time"), path = document.createElement("b"), text = document.createElement("span");
      item.className = l.stream; time.textContent = l.at; path.textContent = l.path; text.textContent = l.text;
      item.append(time, " ", path, " ", text);
      log.append(item);
    }
    while (log.children.length > 2000) log.firstElementChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
  };

  let pause = 1000;
  const connect = () => {
    const source = new EventSource(main.dataset.live);
    source.onopen = () => { pause = 1000; line.hidden = true; };
    source.addEventListener("region", e => { const r = JSON.parse(e.data); ahead = Date.now() - r.now; show(r.id, r.html); });
    source.addEventListener("log", e => {
      write(JSON.parse(e.data));
      const at = new URL(main.dataset.live, location);
      at.searchParams.set("log", e.lastEventId);
      main.dataset.live = at.pathname + at.search;
    });
    source.addEventListener("login", () => {
      source.close();
      line.hidden = true;
      document.getElementById("out").hidden = false;
    });
    source.onerror = () => {
      line.hidden = false;
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(connect, pause);
      pause = Math.min(pause * 2, 15000);
    };
    addEventListener("pagehide", () => source.close(), { once: true });
  };
  if (main.dataset.live) connect();
  addEventListener("pageshow", e => { if (e.persisted) location.reload(); });

  // A second press of a button sends nothing twice.
  document.addEventListener("submit", e => {
    if (e.target.dataset.sent) { e.preventDefault(); return; }
    e.target.dataset.sent = "yes";
    setTimeout(() => { delete e.target.dataset.sent; }, 4000);
  });
})();
