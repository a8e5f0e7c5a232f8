// Package webapp is the stand-in for every application of the lab: it uses the credentials it was given the way a
// real application does, and says in one JSON answer whether the whole chain behind them holds.
package webapp

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Config is what the chart tells the app. Secrets are not part of it: they are read anew for every round trip, so that
// rotated credentials are used without a restart.
type Config struct {
	Listen         string
	App            string
	Instance       string
	DatabaseHost   string
	DatabasePort   uint16
	DatabaseName   string
	DatabaseTLS    string
	OwnerRole      string
	CredentialsDir string
	ConfigDir      string
	Timeout        time.Duration
}

// ConfigFromEnvironment reads the configuration through lookup (os.LookupEnv). The error names every variable that is
// missing or unusable, not only the first.
func ConfigFromEnvironment(lookup func(string) (string, bool)) (Config, error) {
	var problems []string
	required := func(name string) string {
		value, ok := lookup(name)
		if !ok || value == "" {
			problems = append(problems, name+" is not set")
		}
		return value
	}
	optional := func(name, fallback string) string {
		if value, ok := lookup(name); ok && value != "" {
			return value
		}
		return fallback
	}
	config := Config{
		Listen:         optional("LISTEN", ":8080"),
		App:            required("APP"),
		Instance:       required("INSTANCE"),
		DatabaseHost:   required("DATABASE_HOST"),
		DatabaseName:   required("DATABASE_NAME"),
		DatabaseTLS:    optional("DATABASE_SSLMODE", "prefer"),
		OwnerRole:      required("OWNER_ROLE"),
		CredentialsDir: optional("CREDENTIALS_DIR", "/var/run/secrets/database"),
		ConfigDir:      optional("CONFIG_DIR", "/var/run/secrets/config"),
	}
	port := required("DATABASE_PORT")
	if number, err := strconv.ParseUint(port, 10, 16); err == nil && number > 0 {
		config.DatabasePort = uint16(number)
	} else if port != "" {
		problems = append(problems, fmt.Sprintf("DATABASE_PORT is %q, not a port", port))
	}
	timeout, err := time.ParseDuration(optional("HEALTH_TIMEOUT", "3s"))
	if err != nil || timeout <= 0 {
		problems = append(problems, "HEALTH_TIMEOUT is not a duration such as 3s")
	}
	config.Timeout = timeout
	if len(problems) > 0 {
		return Config{}, fmt.Errorf("the environment is not usable: %s", strings.Join(problems, "; "))
	}
	return config, nil
}
