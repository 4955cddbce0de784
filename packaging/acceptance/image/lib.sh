# Sourced by the scripts beside it.

recipe=$(dirname "$(realpath "${BASH_SOURCE[0]}")")

# list FILE prints the entries of a list of this recipe, without the comments.
list() { sed -E 's/[[:space:]]*#.*//; /^$/d' "$recipe/$1"; }

# debian_sources prints the host's file of Debian's own repositories, passing over what else it may be configured for: a mirror
# configured there serves here too.
debian_sources() {
	local file
	for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
		if [ -s "$file" ]; then
			echo "$file"
			return
		fi
	done
	echo "no Debian sources in /etc/apt/sources.list or /etc/apt/sources.list.d/debian.sources" >&2
	return 1
}

# step WORDS says on stderr what begins, with the seconds since the build began.
step() { printf '%4ds  %s\n' "$SECONDS" "$*" >&2; }

# quietly LOG COMMAND... keeps a command's output in LOG and shows its end only if the command fails.
quietly() {
	local log=$1
	shift
	"$@" >>"$log" 2>&1 || {
		local status=$?
		printf '%s: exit status %d, last lines of %s:\n' "$*" "$status" "$log" >&2
		tail -n 30 "$log" >&2
		return "$status"
	}
}

# download WORK INTO PACKAGES... gets packages from Debian. apt's state is one of its own: the base system is bootstrapped at the
# same time, and the host's lists may be old.
download() {
	local log=$1/log/download apt=$1/apt into=$2
	shift 2
	mkdir -p "$apt"/{state/lists/partial,cache/archives/partial}
	local options=(-q -o "Dir::State=$apt/state" -o Dir::State::status=/dev/null -o "Dir::Cache=$apt/cache"
		-o Dir::Etc::SourceParts=/dev/null -o "Dir::Etc::SourceList=$(debian_sources)" -o APT::Sandbox::User=root)
	quietly "$log" apt-get "${options[@]}" update
	(cd "$into" && quietly "$log" apt-get "${options[@]}" download "$@")
	rm -rf "$apt"
}
