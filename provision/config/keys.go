package config

import (
	"slices"
	"sync"

	"wsprovision/provision/config/kinds"
	"wsprovision/provision/config/reading"
	"wsprovision/provision/config/sitekeys"
)

// keys is every key that a file may have, each behind the one that holds it.
var keys = sync.OnceValue(func() []reading.Key {
	all := []reading.Key{{Path: "sites",
		Doc: "The sites. Each becomes /etc/nginx/conf.d/NAME.conf. One that is removed from " +
			"the list is removed there by the next apply; the last one by wsprovision revert. Where http{} of " +
			"nginx.conf " +
			"does not include that folder, it is the first folder that http{} includes by a pattern such as *.conf.",
		Default: "none", About: kinds.About{Type: "list", List: true}}}
	all = append(all, reading.Under("sites[].", sitekeys.Fields())...)
	for _, s := range hostSettings() {
		if section := parent(s.Path); section != "" && !slices.ContainsFunc(all, func(k reading.Key) bool {
			return k.Path == section
		}) {
			all = append(all, reading.Key{Path: section, Doc: sections[section], About: kinds.About{Type: "mapping"}})
		}
		all = append(all, s.Key)
	}
	return all
})
