package config

import (
	"maps"
	"slices"
	"strings"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

const (
	variablePrefix = "WSPROVISION_"
	configVariable = variablePrefix + "CONFIG"
)

// layer is what one source gives: values of their final types, and where each was written (also those that are wrong).
type layer struct {
	values map[string]any
	at     reading.Origins
}

func newLayer() layer { return layer{values: map[string]any{}, at: reading.Origins{}} }

// set parses one value and keeps it, or says what is wrong with it.
func (l layer) set(s setting, value kinds.Scalar, w reading.Where, p *reading.Problems) {
	parsed, err := s.parse(value)
	w.Wrong = err != nil
	l.at[s.Path] = w
	if err != nil {
		key := strings.TrimPrefix(s.Path, "site.")
		p.Add(reading.Problem{Key: key, Line: w.Line, Source: w.Source, Message: err.Error()})
		return
	}
	l.values[s.Path] = parsed
}

// variables is the environment's layer.
type variables struct {
	layer
	config string
}

func environment(environ []string, p *reading.Problems) variables {
	env := variables{layer: newLayer()}
	byName := map[string]setting{configVariable: {}}
	for _, s := range settings() {
		byName[s.variable()] = s
	}
	for _, assignment := range environ {
		name, value, _ := strings.Cut(assignment, "=")
		s, known := byName[name]
		source := reading.EnvironmentSource + kinds.Cut(name)
		switch {
		case !strings.HasPrefix(name, variablePrefix):
		case !known:
			known := slices.Sorted(maps.Keys(byName))
			p.Add(reading.Problem{Source: source, Message: "is not a variable of ours" +
				reading.DidYouMean(name, known)})
		case name == configVariable && value == "":
			p.Add(reading.Problem{Source: source, Message: "is empty: give it a value, or remove it"})
		case name == configVariable:
			env.config = value
		default:
			env.set(s, kinds.Scalar{Text: value}, reading.Where{Source: source}, p)
		}
	}
	return env
}

func flags(typed map[string]string, p *reading.Problems) layer {
	l := newLayer()
	byName := map[string]setting{}
	for _, s := range settings() {
		byName[s.Flag] = s
	}
	for _, name := range slices.Sorted(maps.Keys(typed)) {
		source := reading.FlagSource + kinds.Cut(name)
		if s, known := byName[name]; known {
			l.set(s, kinds.Scalar{Text: typed[name]}, reading.Where{Source: source}, p)
			continue
		}
		p.Add(reading.Problem{Source: source, Message: "is not a flag of the configuration" +
			reading.DidYouMean(name, slices.Sorted(maps.Keys(byName)))})
	}
	return l
}

// flagSite is the site that flags and variables describe.
type flagSite struct {
	Name         string    `mapstructure:"name"`
	ServerNames  []string  `mapstructure:"server_name"`
	Backends     []Backend `mapstructure:"backend"`
	Path         string    `mapstructure:"path"`
	HTTPBackends []Backend `mapstructure:"http_backend"`
	Listen       []Listen  `mapstructure:"listen"`
	Certificate  string    `mapstructure:"tls_certificate"`
	Key          string    `mapstructure:"tls_key"`
	Redirect     bool      `mapstructure:"redirect"`
	Origins      []string  `mapstructure:"allowed_origins"`
}

// merge lays the flags over the environment over the file over the defaults. viper does the laying; it is given values
// of their final types and told to convert nothing, for its own conversions make port: ” a 0 and 75 nanoseconds of 75.
func merge(file, environment, typed layer) (Config, flagSite, error) {
	v := viper.New()
	for _, s := range settings() {
		v.SetDefault(s.Path, s.value)
	}
	for _, l := range []layer{file, environment} {
		if err := v.MergeConfigMap(nested(l.values)); err != nil {
			return Config{}, flagSite{}, err
		}
	}
	for key, value := range typed.values {
		v.Set(key, value)
	}
	var merged struct {
		Config `mapstructure:",squash"`
		Site   flagSite `mapstructure:"site"`
	}
	err := v.UnmarshalExact(&merged, func(d *mapstructure.DecoderConfig) {
		d.WeaklyTypedInput = false
		d.DecodeHook = nil
	})
	return merged.Config, merged.Site, err
}

// nested turns "epel.source" into a map in a map, as viper keeps it.
func nested(values map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range values {
		section, name, found := strings.Cut(key, ".")
		if !found {
			all[key] = value
			continue
		}
		inner, _ := all[section].(map[string]any)
		if inner == nil {
			inner = map[string]any{}
			all[section] = inner
		}
		inner[name] = value
	}
	return all
}
