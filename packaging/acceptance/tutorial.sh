#!/bin/bash
# The tutorial's own commands, as an administrator would put them in a script: what "make bench" compares the agent with.
# On a finished host it runs again: semanage then says that the port is there already, which the script takes for done.
# With "one-transaction" its changes of SELinux are made like the agent's.
set -eu

yum -y install epel-release
yum -y install nginx policycoreutils-python
cat >/etc/nginx/conf.d/websocket.conf <<'END'
map $http_upgrade $connection_upgrade {
    default upgrade;
    '' close;
}

server {
    listen 80;
    server_name ws.example.com;

    location /ws/ {
        proxy_pass http://127.0.0.1:3000;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
        proxy_set_header Host $host;
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_connect_timeout 60s;
        proxy_read_timeout 86400s;
        proxy_send_timeout 86400s;
    }
}
END
if [ "${1-}" = one-transaction ]; then
    semanage import <<'END'
boolean -m --on httpd_can_network_connect
port -a -t http_port_t -p tcp 3000
END
else
    setsebool -P httpd_can_network_connect 1
    semanage port -a -t http_port_t -p tcp 3000 || echo "port 3000 is there already"
fi
nginx -t
systemctl enable nginx
systemctl start nginx
