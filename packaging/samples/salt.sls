# A state for Salt that only calls the agent. What is asked for stands in wsprovision.yaml beside it. "status" tells whether
# there is anything to do: it exits with 0 if the last run is complete and the host is as asked now.
wsprovision:
  pkg.installed: []

/etc/wsprovision/wsprovision.yaml:
  file.managed:
    - source: salt://wsprovision/wsprovision.yaml
    - user: root
    - group: root
    - mode: "0600"
    - check_cmd: wsprovision config check
    - require:
      - pkg: wsprovision

wsprovision-apply:
  cmd.run:
    - name: wsprovision apply --wait=10m
    - unless: wsprovision status --quiet
    - require:
      - file: /etc/wsprovision/wsprovision.yaml

wsprovision-apply-of-a-change:
  cmd.run:
    - name: wsprovision apply --wait=10m
    - onchanges:
      - file: /etc/wsprovision/wsprovision.yaml
    - require:
      - cmd: wsprovision-apply
