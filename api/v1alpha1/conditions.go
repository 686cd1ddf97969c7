// Copyright The Cabildo Authors.
// SPDX-License-Identifier: Apache-2.0

package v1alpha1

// Condition types. Ready says that the space exists, is ours, and that nothing
// that can be applied is pending. Stalled says that a person must act;
// Reconciling that work goes on; they are never both True.
const (
	ConditionReady              = "Ready"
	ConditionReconciling        = "Reconciling"
	ConditionStalled            = "Stalled"
	ConditionMembersResolved    = "MembersResolved"
	ConditionModerationEnforced = "ModerationEnforced"
	ConditionGrantsRecorded     = "GrantsRecorded"
	ConditionWithinAllocation   = "WithinAllocation"
	ConditionAppointed          = "Appointed"
	ConditionTrainingComplete   = "TrainingComplete"
	ConditionGoverned           = "Governed"
	ConditionStaffed            = "Staffed"
)

// Reasons of conditions. docs/troubleshooting.md has an entry for each that is not good news.
const (
	// Good news and work in progress.
	ReasonReady       = "Ready"
	ReasonProgressing = "Progressing"
	ReasonAllResolved = "AllResolved"
	ReasonEnforced    = "Enforced"
	ReasonObserved    = "Observed"
	ReasonPlanned     = "Planned"
	ReasonSuspended   = "Suspended"
	ReasonDeleting    = "Deleting"

	// The platform and its credentials.
	ReasonPlatformNotFound        = "PlatformNotFound"
	ReasonPlatformNotReady        = "PlatformNotReady"
	ReasonPlatformTypeUnsupported = "PlatformTypeUnsupported"
	ReasonCredentialsNotFound     = "CredentialsNotFound"
	ReasonCredentialsInvalid      = "CredentialsInvalid"
	ReasonCredentialNotForThisURL = "CredentialNotForThisURL"
	ReasonUnauthorized            = "Unauthorized"
	ReasonUnavailable             = "Unavailable"
	ReasonRateLimited             = "RateLimited"
	ReasonInvalidPlatform         = "InvalidPlatform"
	ReasonInUse                   = "InUse"
	ReasonViewIncomplete          = "ViewIncomplete"

	// The directory.
	ReasonDirectoryUnavailable = "DirectoryUnavailable"
	ReasonDirectoryIncomplete  = "DirectoryIncomplete"
	ReasonInvalidDirectory     = "InvalidDirectory"
	ReasonListNotFound         = "ListNotFound"
	ReasonLeaverBudgetExceeded = "LeaverBudgetExceeded"

	// Names, grants and references.
	ReasonNamespaceNotGranted = "NamespaceNotGranted"
	ReasonNameNotGranted      = "NameNotGranted"
	ReasonOfficialNotGranted  = "OfficialNotGranted"
	ReasonCommunityNotFound   = "CommunityNotFound"
	ReasonCommunityNotReady   = "CommunityNotReady"
	ReasonVisibilityTooLoose  = "VisibilityTooLoose"
	ReasonInvalidName         = "InvalidName"
	ReasonInvalidSpec         = "InvalidSpec"
	ReasonGuidelinesNotFound  = "GuidelinesNotFound"

	// The space.
	ReasonNameTaken                  = "NameTaken"
	ReasonClaimedByAnotherResource   = "ClaimedByAnotherResource"
	ReasonOwnedByAnotherInstallation = "OwnedByAnotherInstallation"
	ReasonCannotControl              = "CannotControl"
	ReasonSpaceLost                  = "SpaceLost"
	ReasonSpaceReplaced              = "SpaceReplaced"
	ReasonApplyFailed                = "ApplyFailed"
	ReasonRemovalBudgetExceeded      = "RemovalBudgetExceeded"
	ReasonSettingsUnsupported        = "SettingsUnsupported"
	ReasonGrantRecordLost            = "GrantRecordLost"
	ReasonGrantRecordUnavailable     = "GrantRecordUnavailable"
	ReasonProposalRefused            = "ProposalRefused"

	// Decisions.
	ReasonDecisionPending    = "DecisionPending"
	ReasonProposalChanged    = "ProposalChanged"
	ReasonDecisionExpired    = "DecisionExpired"
	ReasonTargetNotFound     = "TargetNotFound"
	ReasonDecisionsUnguarded = "DecisionsUnguarded"

	// Members.
	ReasonPeopleNotFound        = "PeopleNotFound"
	ReasonPeopleBanned          = "PeopleBanned"
	ReasonInvitationsUnanswered = "InvitationsUnanswered"
	ReasonPeopleNotAdded        = "PeopleNotAdded"
	ReasonMembersDelegated      = "MembersDelegated"
	ReasonSourceUnsupported     = "SourceUnsupported"
	ReasonGroupNotFound         = "GroupNotFound"
	ReasonGroupCycle            = "GroupCycle"

	// Managers.
	ReasonNotInTerm               = "NotInTerm"
	ReasonOnLeave                 = "OnLeave"
	ReasonNoCommunity             = "NoCommunity"
	ReasonCommunityDoesNotConsent = "CommunityDoesNotConsent"
	ReasonOverAllocated           = "OverAllocated"
	ReasonWithinAllocation        = "WithinAllocation"
	ReasonManagersUnavailable     = "ManagersUnavailable"

	// Appointment and training.
	ReasonPersonLeft            = "PersonLeft"
	ReasonAppointed             = "Appointed"
	ReasonAppointmentWaits      = "AppointmentWaits"
	ReasonNotAppointed          = "NotAppointed"
	ReasonTrained               = "Trained"
	ReasonNotTrained            = "NotTrained"
	ReasonTrainingUnknown       = "TrainingUnknown"
	ReasonAutomationCantApprove = "AutomationCantApprove"
	ReasonRequesterCantApprove  = "RequesterCantApprove"

	// Governance.
	ReasonGoverned              = "Governed"
	ReasonNotGoverned           = "NotGoverned"
	ReasonRequirementsNotMet    = "RequirementsNotMet"
	ReasonPolicyUnavailable     = "PolicyUnavailable"
	ReasonStaffed               = "Staffed"
	ReasonUnderstaffed          = "Understaffed"
	ReasonVacant                = "Vacant"
	ReasonOrphaned              = "Orphaned"
	ReasonModerationTooLoose    = "ModerationTooLoose"
	ReasonNameReserved          = "NameReserved"
	ReasonCreationWaits         = "CreationWaits"
	ReasonCommunityUnderstaffed = "CommunityUnderstaffed"
	ReasonDrifted               = "Drifted"

	// Members from a directory.
	ReasonDirectoryNotFound            = "DirectoryNotFound"
	ReasonDirectoryNotGranted          = "DirectoryNotGranted"
	ReasonDirectoryGroupNotGranted     = "DirectoryGroupNotGranted"
	ReasonDirectoryAttributeNotGranted = "DirectoryAttributeNotGranted"
	ReasonDirectoryGroupNotFound       = "DirectoryGroupNotFound"
	ReasonDirectoryAttributeNotFound   = "DirectoryAttributeNotFound"
)

// Names of labels, annotations and finalizers.
const (
	// ReadLabel on a ConfigMap lets Cabildo read it.
	ReadLabel = "community.cabildo.dev/read"
	// RecreateAnnotation has a lost space made anew; its value is the ID of the lost space.
	RecreateAnnotation = "community.cabildo.dev/recreate"
	// ForceReleaseAnnotation, set by the platform team, lets go of a space that can't be archived or deleted; value "true".
	ForceReleaseAnnotation = "community.cabildo.dev/force-release"
	// NewRecordAnnotation begins a new record of what was granted where the old one was lost; its value is the ID of the space.
	NewRecordAnnotation = "community.cabildo.dev/new-record"
	// RequestedByAnnotation is who wrote the spec last, as an admission policy notes it; nobody approves their own.
	RequestedByAnnotation = "community.cabildo.dev/requested-by"
	// InUseFinalizer keeps a Platform while communities use it.
	InUseFinalizer = "community.cabildo.dev/in-use"
	// SpaceFinalizer lets Cabildo release, archive or delete a space before its resource goes.
	SpaceFinalizer = "community.cabildo.dev/space"
)
