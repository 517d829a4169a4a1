namespace Helix.Runbooks.Tests.Kubernetes;

/// <summary>Objects as JSON, which is YAML, too.</summary>
static class KubeManifests
{
    public static string Deployment(string name, string image = "web:1", int replicas = 1, string more = "") => $$"""
        { "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "{{name}}" },
          "spec": { "replicas": {{replicas}}, {{more}} "selector": { "matchLabels": { "app": "{{name}}" } },
            "template": { "metadata": { "labels": { "app": "{{name}}" } }, "spec": { "containers": [{ "name": "main", "image": "{{image}}", "env": [{ "name": "GREETING", "value": "hello" }] }] } } } }
        """;

    public static string StatefulSet(string name, string image = "db:1", int replicas = 1) => $$"""
        { "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "{{name}}" },
          "spec": { "replicas": {{replicas}}, "serviceName": "{{name}}", "selector": { "matchLabels": { "app": "{{name}}" } },
            "volumeClaimTemplates": [{ "metadata": { "name": "data" }, "spec": { "accessModes": ["ReadWriteOnce"] } }],
            "template": { "metadata": { "labels": { "app": "{{name}}" } },
              "spec": { "containers": [{ "name": "main", "image": "{{image}}", "volumeMounts": [{ "name": "data", "mountPath": "/data" }] }] } } } }
        """;

    public static string Service(string name, string selector) => $$"""
        { "apiVersion": "v1", "kind": "Service", "metadata": { "name": "{{name}}" }, "spec": { "selector": {{selector}}, "ports": [{ "port": 80 }] } }
        """;

    public static string Ingress(string service) => $$"""
        { "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": "helix-ingress" },
          "spec": { "rules": [
            { "host": "api.example.com", "http": { "paths": [{ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "api", "port": { "number": 80 } } } }] } },
            { "host": "dashboard.example.com", "http": { "paths": [{ "path": "/", "pathType": "Prefix", "backend": { "service": { "name": "{{service}}", "port": { "number": 80 } } } }] } }] } }
        """;
}
