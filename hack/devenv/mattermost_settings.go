// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package devenv

import (
	"fmt"
	"strings"
)

// settings are the server's, in the variables of its environment that are
// stronger than its file. Each is Section.Name of its configuration.
func (m *Mattermost) settings() []string {
	settings := []string{
		"MM_CONFIG=" + m.session.path("mattermost.json"), // written by the server, with secrets of its own
		"MM_NO_DOCKER=true",
	}
	for name, value := range m.values() {
		name = strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
		settings = append(settings, fmt.Sprintf("MM_%s=%v", name, value))
	}
	return settings
}

func (m *Mattermost) values() map[string]any {
	values := map[string]any{
		"ServiceSettings.SiteURL":       m.URL,
		"ServiceSettings.ListenAddress": m.lease.address(),
		"SqlSettings.DriverName":        "postgres",
		"SqlSettings.DataSource":        m.database.source(),
		"SqlSettings.MaxIdleConns":      20,
		"SqlSettings.MaxOpenConns":      50, // the database has a hundred
		"FileSettings.Directory":        m.session.path("files") + "/",

		// Limits that stand in the way of a company.
		"TeamSettings.MaxUsersPerTeam":    50000,
		"TeamSettings.MaxChannelsPerTeam": 100000,

		// What the operator's account needs.
		"ServiceSettings.EnableBotAccountCreation": true,
		"ServiceSettings.EnableUserAccessTokens":   true,

		// People come in with a password that is easy to remember.
		"TeamSettings.EnableOpenServer":        true,
		"TeamSettings.TeammateNameDisplay":     "full_name",
		"PasswordSettings.MinimumLength":       5, // the lowest: these passwords guard nothing
		"PasswordSettings.Lowercase":           false,
		"PasswordSettings.Uppercase":           false,
		"PasswordSettings.Number":              false,
		"PasswordSettings.Symbol":              false,
		"ServiceSettings.EnableOnboardingFlow": false,
		"ServiceSettings.MaximumLoginAttempts": 1000,

		"ServiceSettings.EnableAPITeamDeletion":    m.options.PermanentDeletion,
		"ServiceSettings.EnableAPIChannelDeletion": m.options.PermanentDeletion,

		// It talks to nobody, and does nothing on its own.
		"LogSettings.EnableDiagnostics":            false,
		"LogSettings.EnableSentry":                 false,
		"ServiceSettings.EnableSecurityFixAlert":   false,
		"ServiceSettings.EnableLinkPreviews":       false,
		"ServiceSettings.EnableGifPicker":          false,
		"AnnouncementSettings.AdminNoticesEnabled": false,
		"AnnouncementSettings.UserNoticesEnabled":  false,
		"EmailSettings.SendEmailNotifications":     false,
		"EmailSettings.SendPushNotifications":      false,
		"PluginSettings.Enable":                    false,
		"ClusterSettings.Enable":                   false,
		"JobSettings.RunJobs":                      false,
		"JobSettings.RunScheduler":                 false,

		// Its log is what it prints.
		"LogSettings.EnableConsole":             true,
		"LogSettings.ConsoleJson":               false,
		"LogSettings.EnableColor":               false,
		"LogSettings.ConsoleLevel":              "INFO",
		"LogSettings.EnableFile":                false,
		"NotificationLogSettings.EnableConsole": false,
		"NotificationLogSettings.EnableFile":    false,

		"RateLimitSettings.Enable": false,
	}
	if limit := m.options.RateLimit; limit != nil {
		values["RateLimitSettings.Enable"] = true
		values["RateLimitSettings.PerSec"] = limit.PerSecond
		values["RateLimitSettings.MaxBurst"] = limit.Burst
		values["RateLimitSettings.VaryByUser"] = true
		values["RateLimitSettings.VaryByRemoteAddr"] = false
	}
	return values
}
