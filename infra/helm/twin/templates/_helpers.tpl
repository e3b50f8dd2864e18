{{- define "twin.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "twin.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "twin.labels" -}}
{{ include "twin.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "twin.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "twin.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "twin.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* The home is written to, a Secret is not: its files are copied, and those of the volume stay. */}}
{{- define "twin.furnish" -}}
- name: home
  image: {{ include "twin.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command:
    - sh
    - -ec
    - |
      umask 077
      cd /var/lib/twin
      for file in /given/*; do
        if [ "${file##*/}" = watermark.key ]; then
          # Every pod marks with this one. What a pod had made itself is kept: it marked what was said before.
          mkdir -p keys
          if [ -e keys/watermark.key ] && [ ! -e keys/watermark.key.own ]; then
            cp keys/watermark.key keys/watermark.key.own
          fi
          cp -L "$file" keys/watermark.key.new
          mv keys/watermark.key.new keys/watermark.key
        else
          cp -L "$file" .
        fi
      done
  securityContext:
    {{- include "twin.containerSecurity" . | nindent 4 }}
  resources:
    requests: { cpu: 10m, memory: 32Mi }
    limits: { memory: 64Mi }
  volumeMounts:
    - { name: given, mountPath: /given, readOnly: true }
    - { name: home, mountPath: /var/lib/twin }
{{- end }}

{{- define "twin.environment" -}}
envFrom:
  - secretRef: { name: {{ .Values.environmentSecret }} }
env:
  {{- if .Values.livekit.url }}
  - { name: LIVEKIT_URL, value: {{ .Values.livekit.url | quote }} }
  {{- end }}
  {{- range $name, $value := .Values.settings }}
  - { name: {{ $name }}, value: {{ $value | quote }} }
  {{- end }}
{{- end }}

{{- define "twin.mounts" -}}
volumeMounts:
  - { name: home, mountPath: /var/lib/twin }
  - { name: tmp, mountPath: /tmp }
{{- end }}

{{- define "twin.volumes" -}}
volumes:
  - name: given
    secret: { secretName: {{ .Values.homeSecret }} }
  - name: tmp
    emptyDir: { sizeLimit: 1Gi }
{{- end }}

{{- define "twin.disk" -}}
volumeClaimTemplates:
  - metadata: { name: home }
    spec:
      accessModes: [ReadWriteOnce]
      {{- if .storageClass }}
      storageClassName: {{ .storageClass }}
      {{- end }}
      resources: { requests: { storage: {{ .size }} } }
persistentVolumeClaimRetentionPolicy: { whenDeleted: Retain, whenScaled: Retain }
{{- end }}
