{{- define "webapp.selector" -}}
app.kubernetes.io/name: {{ .Values.app }}
app.kubernetes.io/instance: {{ .Values.instance }}
{{- end -}}

{{- define "webapp.labels" -}}
{{ include "webapp.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | quote }}
app.kubernetes.io/part-of: sandbox
{{- end -}}
