#!/bin/sh
# Stands in for goroutined-host: what it does is the first word of the plugin file.
read -r word rest <"$2"
describe() { printf '{"name":"n","version":"1","functions":[{"name":"f","help":"h","attempts_max":3,"backoff_ns":7}]}' >&3; }
case $1:$word in
--describe:good | --describe:dies | --describe:stays) describe ;;
--describe:refused) printf '{"error":8,"text":"no plugin: try another"}' >&3; exit 1 ;;
--describe:segv) kill -SEGV $$ ;;
--describe:silent) exit 4 ;;
--describe:hangs) exec 3>&-; [ -p "$4.begun" ] && : >"$4.begun"; sleep 3600 ;;
--describe:lingers) describe; exec 3>&-; sleep 3600 ;;
--describe:nonsense) printf '{"name":3' >&3 ;;
--run:good) cat <&3 >/dev/null ;; # until its lifeline ends
--run:stays) exec sleep 3600 ;;
--run:dies) kill -ABRT $$ ;;
esac
