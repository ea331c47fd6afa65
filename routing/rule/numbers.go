package rule

// IsE164 says whether a text is a number as it arrives: + and digits.
func IsE164(s string) bool { return e164.MatchString(s) }
