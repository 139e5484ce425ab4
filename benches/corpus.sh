#!/usr/bin/env bash
# A corpus of real projects from the ordinary registries, each a git repository of one commit.
# usage: benches/corpus.sh FOLDER     (7 GB; needs npm, pip, cargo, git; go, mvn, apt-get and dpkg where they are there)
set -euo pipefail

[ $# -eq 1 ] || { sed -n 3p "$0" >&2; exit 2; }
mkdir -p "$1/downloads"
corpus=$(cd "$1" && pwd)
downloads=$corpus/downloads

# project NAME: makes FOLDER/NAME the repository of what stands in it.
project() {
  local folder=$corpus/$1
  [ -d "$folder/.git" ] && return
  git -C "$folder" init --quiet --initial-branch main
  git -C "$folder" add --all
  git -C "$folder" -c user.name=corpus -c user.email=corpus@example.org -c commit.gpgsign=false commit --quiet --message "Add $1"
  echo "$1: $(git -C "$folder" ls-files | wc -l) files"
}

# npm_project NAME VERSION
npm_project() {
  [ -d "$corpus/$1" ] && return
  local archive
  archive=$(cd "$downloads" && npm pack --silent "$1@$2")
  mkdir "$corpus/$1"
  tar -xzf "$downloads/$archive" -C "$corpus/$1" --strip-components 1
  project "$1"
}

# pip_project NAME VERSION
pip_project() {
  [ -d "$corpus/$1" ] && return
  mkdir "$downloads/$1"
  pip download --quiet --disable-pip-version-check --no-deps --dest "$downloads/$1" "$1==$2"
  mkdir "$corpus/$1"
  python3 -m zipfile -e "$downloads/$1"/*.whl "$corpus/$1"
  project "$1"
}

# pip_source_project NAME VERSION: what its authors released, with tests and workflows where they are in it
pip_source_project() {
  [ -d "$corpus/$1" ] && return
  mkdir "$downloads/$1"
  pip download --quiet --disable-pip-version-check --no-deps --no-binary "$1" --dest "$downloads/$1" "$1==$2"
  mkdir "$corpus/$1"
  tar -xzf "$downloads/$1"/*.tar.gz -C "$corpus/$1" --strip-components 1
  project "$1"
}

# deb_project PACKAGE FOLDER-IN-PACKAGE
deb_project() {
  [ -d "$corpus/$1" ] && return
  if ! command -v apt-get dpkg-deb > /dev/null || ! (cd "$downloads" && apt-get download "$1" > /dev/null 2>&1); then
    echo "$1: left out, since apt-get does not have it here"
    return
  fi
  mkdir "$downloads/$1" "$corpus/$1"
  dpkg-deb -x "$downloads/$1"_*.deb "$downloads/$1"
  cp -r "$downloads/$1/$2/." "$corpus/$1"
  project "$1"
}

# crate_project NAME VERSION [FOLDER-IN-CRATE]
crate_project() {
  [ -d "$corpus/$1" ] && return
  # A workspace of its own: the corpus may lie within another one.
  local fetch=$downloads/fetch-$1
  mkdir -p "$fetch/src"
  printf '[workspace]\n[package]\nname = "fetch"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n%s = "=%s"\n' "$1" "$2" > "$fetch/Cargo.toml"
  touch "$fetch/src/lib.rs"
  (cd "$fetch" && cargo vendor --quiet --versioned-dirs vendor > /dev/null)
  cp -r "$fetch/vendor/$1-$2/${3:-}" "$corpus/$1"
  rm -f "$corpus/$1/.cargo-checksum.json"
  project "$1"
}

# go_project NAME MODULE VERSION: a module is a whole repository, but for its vendored parts
go_project() {
  [ -d "$corpus/$1" ] && return
  if ! command -v go > /dev/null; then
    echo "$1: left out, since there is no go here"
    return
  fi
  (cd "$downloads" && GOFLAGS=-mod=mod GOPATH=$downloads/go go mod download "$2@$3")
  cp -r "$downloads/go/pkg/mod/$2@$3" "$corpus/$1"
  chmod -R u+w "$corpus/$1"
  project "$1"
}

# maven_project GROUP NAME VERSION [test-sources]: laid out as it was before it was packed
maven_project() {
  [ -d "$corpus/$2" ] && return
  if ! command -v mvn > /dev/null; then
    echo "$2: left out, since there is no mvn here"
    return
  fi
  local classifier folder
  for classifier in sources ${4:-}; do
    (cd "$downloads" && mvn --batch-mode --quiet dependency:copy -Dartifact="$1:$2:$3:jar:$classifier" -DoutputDirectory="$downloads")
    folder=main
    [ "$classifier" = sources ] || folder=test
    mkdir -p "$corpus/$2/src/$folder/java"
    python3 -m zipfile -e "$downloads/$2-$3-$classifier.jar" "$corpus/$2/src/$folder/java"
  done
  project "$2"
}

npm_project react-native 0.76.0
npm_project rxjs 7.8.1
npm_project effect 3.12.0
npm_project eslint 9.15.0
npm_project fastify 5.1.0
npm_project pino 9.5.0
npm_project pm2 5.4.3
pip_project django 5.2
pip_project sympy 1.13.3
pip_project scipy 1.14.1
pip_project tornado 6.4.2
pip_source_project aiohttp 3.11.9
pip_source_project attrs 24.2.0
pip_source_project black 24.10.0
pip_source_project celery 5.4.0
pip_source_project pytest 8.3.4
crate_project tokio 1.43.0
crate_project clap_builder 4.5.23
crate_project regex-automata 0.4.9
crate_project libgit2-sys 0.17.0+1.8.1 libgit2
crate_project itertools 0.13.0
crate_project just 1.36.0
crate_project miniserve 0.28.0
go_project caddy github.com/caddyserver/caddy/v2 v2.8.4
go_project coredns github.com/coredns/coredns v1.11.3
go_project gin github.com/gin-gonic/gin v1.10.0
go_project nats-server github.com/nats-io/nats-server/v2 v2.10.22
go_project prometheus github.com/prometheus/prometheus v0.55.1
go_project restic github.com/restic/restic v0.17.3
maven_project com.squareup.okhttp3 okhttp 4.12.0
maven_project org.apache.commons commons-lang3 3.17.0 test-sources
maven_project org.apache.hadoop hadoop-common 3.4.1 test-sources
maven_project org.apache.kafka kafka-clients 4.1.0 test-sources
maven_project org.jetbrains.kotlinx kotlinx-coroutines-core-jvm 1.9.0
maven_project org.mockito mockito-core 5.14.2
deb_project golang-1.19-src usr/share/go-1.19/src
deb_project ruby-actionpack usr/share/rubygems-integration/all/gems
deb_project ruby-activerecord usr/share/rubygems-integration/all/gems
deb_project wordpress usr/share/wordpress/wp-includes

# Held out: no rule was written or mended on these.
npm_project bats 1.13.0
npm_project expo-file-system 58.0.14
npm_project expo-modules-core 58.1.0
npm_project react-native-purchases 10.10.2
npm_project tape 5.10.2
pip_source_project flask 3.1.3
pip_source_project pythonnet 3.0.5
pip_source_project scrapy 2.19.0
crate_project hyper 1.5.1
crate_project ripgrep 14.1.1
go_project cli github.com/cli/cli/v2 v2.62.0
go_project etcd-server go.etcd.io/etcd/server/v3 v3.5.17
maven_project org.apache.kafka kafka-server-common 4.1.0 test-sources
maven_project com.squareup.retrofit2 retrofit 2.11.0
deb_project debootstrap usr/share/debootstrap
deb_project phpmyadmin usr/share/phpmyadmin
deb_project phpunit usr/share/php/PHPUnit
deb_project ruby-sidekiq usr/share/rubygems-integration/all/gems

# Held out again: read once the rules had been mended on all those above.
npm_project knex 3.1.0
npm_project leveldown 6.1.1
npm_project mocha 10.8.2
npm_project react-native-gesture-handler 2.20.2
npm_project resolve 1.22.8
npm_project socket.io 4.8.1
npm_project zod 3.25.76
pip_source_project ansible-core 2.17.6
pip_source_project httpx 0.27.2
pip_source_project paramiko 3.5.0
pip_source_project requests 2.32.3
pip_source_project starlette 0.41.3
crate_project axum 0.7.9
crate_project bat 0.24.0
crate_project libsqlite3-sys 0.30.1
crate_project rustls 0.23.16
crate_project tower-http 0.6.2
go_project cobra github.com/spf13/cobra v1.8.1
go_project hugo github.com/gohugoio/hugo v0.138.0
go_project lazygit github.com/jesseduffield/lazygit v0.44.1
go_project traefik github.com/traefik/traefik/v3 v3.2.0
maven_project com.google.guava guava 33.3.1-jre
maven_project io.ktor ktor-server-core-jvm 3.0.1
maven_project org.apache.commons commons-collections4 4.4 test-sources
maven_project org.apache.zookeeper zookeeper 3.9.3
deb_project devscripts usr
deb_project dkms usr
deb_project dokuwiki usr/share/dokuwiki
deb_project php-monolog usr/share/php/Monolog
deb_project php-symfony-console usr/share/php/Symfony
deb_project puma usr
deb_project roundcube-core usr/share/roundcube
deb_project ruby-rspec-core usr
deb_project ruby-sinatra usr/share/rubygems-integration/all/gems
deb_project vagrant usr/share/rubygems-integration/all/gems

# Held out a third time: read once the rules had been mended on all those above.
npm_project sequelize 6.37.5
npm_project nodemailer 6.9.16
npm_project forever 4.0.3
npm_project react-native-reanimated 3.16.1
npm_project expo-camera 16.0.7
npm_project bull 4.16.4
npm_project lodash-es 4.17.21
pip_source_project twisted 24.10.0
pip_source_project luigi 3.5.2
pip_source_project fabric 3.2.2
pip_source_project sqlalchemy 2.0.36
pip_source_project buildbot 4.1.0
pip_source_project salt 3007.1
pip_source_project h5py 3.12.1
crate_project actix-web 4.9.0
crate_project diesel 2.2.4
crate_project sled 0.34.7
crate_project librocksdb-sys 0.16.0+8.10.0
crate_project bindgen 0.70.1
go_project vault-sdk github.com/hashicorp/vault/sdk v0.14.0
go_project k3d github.com/k3d-io/k3d/v5 v5.7.4
maven_project org.springframework spring-core 6.1.14
maven_project io.netty netty-transport 4.1.114.Final
maven_project org.apache.lucene lucene-core 9.12.0 test-sources
maven_project com.squareup.moshi moshi 1.15.1
maven_project org.apache.activemq activemq-broker 6.1.3 test-sources
deb_project git-buildpackage usr
deb_project lintian usr
deb_project cacti usr/share/cacti
deb_project ruby-rails usr
deb_project ruby-nokogiri usr
deb_project redmine usr/share/redmine
deb_project initramfs-tools usr
deb_project live-build usr

# Held out a fourth time: read once the rules had been mended on all those above.
npm_project mongoose 8.8.3
npm_project node-gyp 10.2.0
npm_project mineflayer 4.23.0
npm_project serverless 3.40.0
npm_project xterm 5.3.0
pip_source_project beets 2.2.0
pip_source_project mopidy 3.4.2
pip_source_project dulwich 0.22.6
pip_source_project gunicorn 23.0.0
pip_source_project networkx 3.4.2
pip_source_project jupyter_server 2.14.2
pip_source_project sphinx 8.1.3
pip_source_project supervisor 4.2.5
crate_project bevy_ecs 0.15.0
crate_project gitui 0.26.3
crate_project image 0.25.5
crate_project mdbook 0.4.43
crate_project quinn-proto 0.11.9
crate_project polars-core 0.44.2
go_project badger github.com/dgraph-io/badger/v4 v4.8.0
go_project ebiten github.com/hajimehoshi/ebiten/v2 v2.8.8
go_project fzf github.com/junegunn/fzf v0.56.3
go_project goreleaser github.com/goreleaser/goreleaser/v2 v2.13.0
go_project minio-go github.com/minio/minio-go/v7 v7.1.0
go_project syncthing github.com/syncthing/syncthing v1.30.0
maven_project com.badlogicgames.gdx gdx 1.13.0
maven_project io.undertow undertow-core 2.3.21.Final
maven_project org.apache.pdfbox pdfbox 3.0.3
maven_project org.jetbrains.exposed exposed-core 0.57.0
maven_project org.quartz-scheduler quartz 2.5.0
deb_project dracut-core usr
deb_project icingaweb2 usr/share/icingaweb2
deb_project openafs-modules-dkms usr
deb_project phpldapadmin usr/share/phpldapadmin
deb_project puppet-agent usr
deb_project schleuder usr

# Held out a fifth time: read once the rules had been mended on all those above.
npm_project discord.js 14.16.3
npm_project lighthouse 12.2.3
npm_project mongodb 6.11.0
npm_project react-native-webview 13.12.4
npm_project sharp 0.33.5
pip_source_project djangorestframework 3.15.2
pip_source_project dnspython 2.7.0
pip_source_project httpie 3.2.4
pip_source_project mkdocs 1.6.1
pip_source_project picard 2.12.3
pip_source_project poetry 1.8.4
pip_source_project redis 5.2.0
pip_source_project streamlink 7.0.0
pip_source_project xarray 2024.10.0
crate_project bottom 0.10.2
crate_project egui 0.29.1
crate_project hickory-proto 0.24.1
crate_project ndarray 0.16.1
crate_project starship 1.21.1
crate_project wgpu-core 23.0.1
go_project bleve github.com/blevesearch/bleve/v2 v2.5.7
go_project fyne fyne.io/fyne/v2 v2.7.1
go_project helm helm.sh/helm/v3 v3.18.6
go_project raft github.com/hashicorp/raft v1.7.3
go_project task github.com/go-task/task/v3 v3.49.1
go_project webrtc github.com/pion/webrtc/v4 v4.2.19
maven_project com.github.mwiede jsch 2.27.7
maven_project io.javalin javalin 6.4.0
maven_project org.jfree jfreechart 1.5.4
maven_project org.liquibase liquibase-core 4.30.0
deb_project lttng-modules-dkms usr
deb_project rear usr
deb_project ruby-sequel usr
deb_project tt-rss usr/share/tt-rss
