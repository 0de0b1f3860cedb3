// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

const maxConfig = 1 << 20 // bytes

// readConfig reads the JSON object that the plugin is given. Without a file it is empty.
func readConfig(file string) (string, error) {
	if file == "" {
		return "{}", nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("plugin configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return "", fmt.Errorf("plugin configuration: %w", err)
	}
	if len(text) > maxConfig {
		return "", fmt.Errorf("plugin configuration %s is larger than %d bytes", file, maxConfig)
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return "", fmt.Errorf("plugin configuration %s is not a JSON object: %w", file, err)
	}
	if object == nil {
		return "", fmt.Errorf("plugin configuration %s is not a JSON object", file)
	}
	return string(text), nil
}
