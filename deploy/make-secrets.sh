#!/bin/sh
# deploy/make-secrets.sh [FOLDER]: makes the secrets of docker-compose.yml in ./secrets, or in FOLDER.
#
# What is there stays; nothing is printed but names. Run it as root: each file is then readable (0600) by the user of the
# one container that needs it, because Compose hands over files as they are. Anybody else can't give files away; then the
# folder keeps others out (0700), and the files in it are readable by the containers.
set -eu
umask 077
cd "$(dirname "$0")/.."
folder=${1:-secrets}
PORTAL=10001 ENGINE=999

random() {
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# NAME OWNER, the content from standard input. The file comes to its place whole, or not at all.
keep() {
    if [ -s "$folder/$1" ]; then
        echo "kept $folder/$1"
        return
    fi
    cat > "$folder/.$1"
    if [ "$(id -u)" = 0 ]; then
        chown "$2:$2" "$folder/.$1"
    else
        chmod 444 "$folder/.$1"
    fi
    mv "$folder/.$1" "$folder/$1"
    echo "made $folder/$1"
}

mkdir -p "$folder"
chmod 700 "$folder"
random | keep postgres_password "$ENGINE"
printf 'postgresql://portalops:%s@postgres:5432/portalops\n' "$(cat "$folder/postgres_password")" | keep database_url "$PORTAL"
printf 'requirepass %s\n' "$(random)" | keep redis_auth "$ENGINE"
printf 'redis://:%s@redis:6379/0\n' "$(sed 's/^requirepass //' "$folder/redis_auth")" | keep redis_url "$PORTAL"
for name in secret_key jwt_secret_key hr_webhook_api_key admin_password; do
    random | keep "$name" "$PORTAL"
done
