// SPDX-License-Identifier: GPL-3.0-or-later

package plugin

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const repository = "../../../.."

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// buildPlugin compiles tests/plugin/echo_plugin.c.
func buildPlugin(t *testing.T, options ...string) string {
	t.Helper()
	so := filepath.Join(t.TempDir(), "echo.so")
	args := append([]string{"-std=c11", "-D_GNU_SOURCE", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-I" + repository, "-o", so}, options...)
	if out, err := exec.Command("cc", append(args, repository+"/tests/plugin/echo_plugin.c", "-pthread")...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return so
}

func load(path, config string, client caller) (*host, error) {
	h := newHost(client)
	return h, h.load(path, config)
}

// journal is the file into which the echo plugin writes its events.
type journal string

func (j journal) lines() []string {
	text, _ := os.ReadFile(string(j))
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

// wait returns the lines that begin with prefix, once there are n of them.
func (j journal) wait(t *testing.T, prefix string, n int) []string {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var found []string
		for _, line := range j.lines() {
			if strings.HasPrefix(line, prefix) {
				found = append(found, line)
			}
		}
		if len(found) >= n {
			return found
		}
		if time.Now().After(end) {
			t.Fatalf("%d lines %q, want %d; the journal:\n%s", len(found), prefix, n, strings.Join(j.lines(), "\n"))
		}
	}
}

// echoConfig adds a journal to the settings and returns the configuration's text.
func echoConfig(t *testing.T, settings map[string]any) (journal, string) {
	t.Helper()
	j := journal(filepath.Join(t.TempDir(), "journal"))
	all := map[string]any{"journal": string(j)}
	for key, value := range settings {
		all[key] = value
	}
	text, err := json.Marshal(all)
	check(t, err)
	return j, string(text)
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.json")
	check(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func short(hash fmt.Stringer) string { return strings.TrimPrefix(hash.String(), "0x") }
