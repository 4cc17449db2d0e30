package control

// Surplus makes an offer follow what the cluster has over.
type Surplus struct {
	Share    string  `json:"share"`              // of what pods of others leave, such as 50%
	Keep     string  `json:"keep,omitempty"`     // that stays free, such as cpu=4,memory=8Gi
	WhenFree string  `json:"whenFree,omitempty"` // only while more is free, such as >30%
	Now      *uint32 `json:"now,omitempty"`      // units that it would enter now, none while that is not known; filled in by the daemon
}
