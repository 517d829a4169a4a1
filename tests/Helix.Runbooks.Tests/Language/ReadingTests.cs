using Helix.Runbooks.Model;

namespace Helix.Runbooks.Tests.Language;

public sealed class ReadingTests
{
    const string Example = """
        apiVersion: helix.runbooks/v1
        name: sample
        title: "Scenario 1: corruption"
        description: |
          Replaces a corrupted graph.
        owner: data-platform
        symptoms:
          - Database errors in the logs
        objectives:
          rto: 4h
          rpo: 1h
          recoveredAt: verify
        defaults:
          timeout: 1h
          retry: { attempts: 2 }
        inputs:
          backup: { type: backup, target: backups, prefix: neo4j/, default: latest-proven }
        steps:
          - id: baseline
            uses: sample.read
            with: { target: db }
            ifFails: continue
          - id: fetch
            uses: sample.read
            with:
              target: db
              text: "{{ inputs.backup }}"
              mode: 0644
            retry: { attempts: 5, delay: 2s, backoff: exponential, maxDelay: 1m }
            timeout: { attempt: 30m, noProgress: 2m }
          - id: go
            uses: approval
            with:
              message: "Overwrite with {{ steps.fetch.file }} of {{ steps.fetch.recoveryPoint }}?"
              approvers: [group:dba]
              expiresAfter: 30m
              onReject: fetch
              inputs:
                reason: { type: string, required: true }
          - parallel:
              - - { id: one, uses: sample.read, with: { target: db } }
              - - { id: two, uses: sample.tell, with: { message: "Loaded." } }
          - forEach: "{{ steps.fetch.lines }}"
            as: line
            maxParallel: 2
            steps:
              - { id: each, uses: sample.tell, with: { message: "{{ line }}" } }
          - steps:
              - id: verify
                uses: sample.read
                when: "{{ steps.baseline.succeeded }}"
                with: { target: db, counts: "{{ steps.fetch.counts }}" }
            finally:
              - { id: tidy, uses: sample.tell, with: { message: done } }
          - id: sub
            uses: runbook
            with: { file: other.yaml, inputs: { size: 5 } }
        rescue:
          - { id: restart, uses: sample.read, with: { target: db } }
        outputs:
          restored: "{{ steps.fetch.file }}"
        """;

    const string Other = """
        apiVersion: helix.runbooks/v1
        name: other
        title: Another
        inputs: { size: { type: number, required: true } }
        steps:
          - { id: pause, uses: wait, with: { for: 1s } }
        """;

    [Fact]
    public void A_runbook_with_every_kind_of_item_is_read()
    {
        var result = Sample.Read(Example, null, ("other.yaml", Other));
        Assert.Empty(result.Problems.Select(p => p.ToString()));
        var runbook = result.Value!;
        Assert.Equal(TimeSpan.FromHours(4), runbook.Objectives.Rto);
        Assert.Equal(InputType.Backup, runbook.Inputs["backup"].Type);
        Assert.Equal(["baseline", "fetch", "go", "parallel_1", "for_each_1", "group_1", "sub"], runbook.Steps.Select(s => s.Id));
        var fetch = (StepItem)runbook.Steps[1];
        Assert.Equal("0644", fetch.With["mode"]!.GetValue<string>());
        Assert.Equal(TimeSpan.FromHours(1), fetch.Timeout.Total);
        Assert.Equal(TimeSpan.FromMinutes(30), fetch.Timeout.Attempt);
        Assert.Equal(5, fetch.Retry!.Attempts);
        Assert.Equal(2, ((StepItem)runbook.Steps[0]).Retry!.Attempts);
        Assert.Equal(28, fetch.Places["mode"].Line);
        var loop = (ForEachItem)runbook.Steps[4];
        Assert.Equal("line", loop.As);
        Assert.Equal(2, loop.MaxParallel);
        Assert.Equal("pause", ((RunbookItem)runbook.Steps[6]).Runbook.Steps[0].Id);
        Assert.Null(((StepItem)runbook.Steps[2]).Retry);
    }

    [Fact]
    public void An_environment_is_read_with_its_paths_made_absolute()
    {
        var result = Sample.ReadEnvironment("""
            apiVersion: helix.runbooks/v1
            name: local
            protected: true
            vars: { region: eu-west-1 }
            targets:
              db: { kind: sample-database, endpoint: "localhost:1", password: [env:A, file:b], folder: ../data, scratch: true }
              store: { kind: sample-store, of: db }
            people:
              groups: { dba: [alice] }
            allowedSigners: signers
            """);
        Assert.Empty(result.Problems.Select(p => p.ToString()));
        var environment = result.Value!;
        var database = (SampleDatabase)environment.Targets.All["db"];
        Assert.Equal("/data", database.Folder);
        Assert.Equal(["env:A", "file:/somewhere/b"], database.Password!.References);
        Assert.True(database.Scratch);
        Assert.Same(environment.Targets, database.Siblings);
        Assert.Equal("/somewhere", environment.BaseDirectory);
        Assert.Equal(["alice"], environment.Groups["dba"]);
    }
}
