{{/* The names and labels of everything in a release. */}}

{{- define "cabildo.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The full name leaves room for the suffixes of roles within 63 characters. */}}
{{- define "cabildo.fullname" -}}
{{- $name := include "cabildo.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "cabildo.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "cabildo.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.create is false: set serviceAccount.name to a service account that exists" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "cabildo.selectorLabels" -}}
app.kubernetes.io/name: {{ include "cabildo.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: manager
{{- end -}}

{{- define "cabildo.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: {{ include "cabildo.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: cabildo
{{- end -}}

{{- define "cabildo.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The name of a role: as in config/rbac, with the release's name for "cabildo". */}}
{{- define "cabildo.roleName" -}}
{{- printf "%s%s" (include "cabildo.fullname" .root) (trimPrefix "cabildo" .role) -}}
{{- end -}}
