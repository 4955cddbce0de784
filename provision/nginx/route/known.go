package route

import (
	"slices"
	"strings"

	"wsprovision/provision/nginx/conf"
)

// followed are the directives that say where a request goes, and that this package reads.
var followed = strings.Fields(`
	absolute_redirect alias allow auth_basic auth_request auth_request_set autoindex break deny error_page
	fastcgi_pass grpc_pass uwsgi_pass scgi_pass memcached_pass proxy_pass empty_gif stub_status flv mp4 geo if
	index internal limit_conn limit_req limit_except listen location map merge_slashes port_in_redirect
	recursive_error_pages return rewrite root satisfy server server_name server_name_in_redirect set
	split_clients ssl ssl_verify_client ssl_reject_handshake try_files upstream gzip_static disable_symlinks
	open_file_cache open_file_cache_errors set_real_ip_from real_ip_header real_ip_recursive dav_methods
	random_index msie_refresh underscores_in_headers ignore_invalid_headers`)

// harmless are those of nginx's own modules that say nothing of where a request goes, one name or the beginning of
// several each.
var harmless = strings.Fields(`
	access_log brotli brotli_types brotli_comp_level brotli_min_length brotli_buffers brotli_window
	vhost_traffic_status_zone lua_ init_by_lua_file init_worker_by_lua_file js_import js_path add_after_body
	add_before_body add_header add_trailer addition_types aio aio_write ancient_browser auth_basic_user_file
	auth_delay autoindex_ charset charset_map charset_types chunked_transfer_encoding client_
	connection_pool_size create_full_put_path dav_access min_delete_depth default_type degradation degrade
	directio directio_alignment error_log etag expires fastcgi_ geoip_ grpc_ gunzip gunzip_buffers gzip gzip_
	http2_ if_modified_since image_filter_ include keepalive_ large_client_header_buffers lingering_
	limit_conn_ limit_rate limit_rate_after limit_req_ log_ map_hash_ max_ranges memcached_ mirror
	mirror_request_body modern_browser modern_browser_value msie_padding mp4_ open_file_cache_
	open_log_file_cache output_buffers override_charset postpone_ proxy_ read_ahead referer_hash_
	request_pool_size reset_timedout_connection resolver resolver_timeout rewrite_log scgi_ send_ sendfile
	sendfile_max_chunk server_names_hash_ server_tokens slice source_charset ssi ssi_ ssl_ sub_filter
	sub_filter_ subrequest_output_buffer_size tcp_nodelay tcp_nopush types types_hash_
	uninitialized_variable_warn userid userid_ uwsgi_ valid_referers variables_hash_ xslt_ xml_entities
	secure_link perl_modules perl_set perl_require`)

// readable is an error where a block has a statement that this package cannot read: one of a module that is not
// nginx's own, whose effect on requests nobody can tell, or one that nginx would refuse.
func readable(body []conf.Directive) error {
	for _, d := range body {
		switch {
		case !isKnown(d.Name):
			return unfollowed(d, "wsprovision does not know what %s does to a request", d.Name)
		case len(d.Args) == 0 && !slices.Contains(bare, d.Name) && slices.Contains(followed, d.Name),
			d.Name == "location" && (len(d.Args) > 2 || !d.Block),
			d.Name == "proxy_set_header" && len(d.Args) != 2, d.Name == "index" && slices.Contains(d.Args, ""),
			slices.Contains(single, d.Name) && len(d.Args) != 1:
			return unfollowed(d, "%s is not understood", d.Name)
		}
	}
	return nil
}

// single are the directives of one argument that this package reads, without a word in followed.
var single = []string{"proxy_http_version", "proxy_method", "limit_req_status", "limit_conn_status"}

// bare are the directives that stand alone.
var bare = []string{"internal", "break", "server", "stub_status", "empty_gif", "flv", "mp4", "limit_except"}

func isKnown(name string) bool {
	if slices.Contains(followed, name) {
		return true
	}
	for _, head := range harmless {
		if name == head || strings.HasSuffix(head, "_") && strings.HasPrefix(name, head) {
			return true
		}
	}
	return false
}
