{{- define "application" -}}
{{- $attributes := .attributes | default dict }}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {{ .instance }}
  namespace: argocd
  finalizers:
    - resources-finalizer.argocd.argoproj.io
  {{- with $attributes.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  project: default
  source:
    repoURL: {{ .root.Values.gitea_url }}/{{ .root.Values.org }}/{{ .app }}
    targetRevision: HEAD
    path: chart
    {{- with .env }}
    helm:
      valueFiles:
        - values.yaml
        - values-{{ . }}.yaml
    {{- end }}
  destination:
    server: https://kubernetes.default.svc
    namespace: {{ .instance }}
  syncPolicy:
    {{- with $attributes.syncPolicy }}
    {{- toYaml (omit . "syncOptions") | nindent 4 }}
    {{- else }}
    automated:
      prune: true
      selfHeal: true
    {{- end }}
    syncOptions: {{- toYaml (concat (list "CreateNamespace=true") (($attributes.syncPolicy | default dict).syncOptions | default list) | uniq) | nindent 6 }}
{{ end -}}
