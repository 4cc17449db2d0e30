{{- define "angler.labels" -}}
app.kubernetes.io/name: angler
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "angler.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* What each container of ours may do: nothing. */ -}}
{{- define "angler.security" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}
