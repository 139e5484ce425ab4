#!/usr/bin/env bash
# A corpus of real projects from the ordinary registries, each a git repository of one commit.
# usage: benches/precision/corpus.sh FOLDER     (about 250 MB; needs npm, pip, cargo, git; apt-get and dpkg where they are there)
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

npm_project react-native 0.76.0
npm_project rxjs 7.8.1
npm_project effect 3.12.0
npm_project eslint 9.15.0
npm_project fastify 5.1.0
pip_project django 5.2
pip_project sympy 1.13.3
pip_project scipy 1.14.1
pip_project tornado 6.4.2
crate_project tokio 1.43.0
crate_project clap_builder 4.5.23
crate_project regex-automata 0.4.9
crate_project libgit2-sys 0.17.0+1.8.1 libgit2
deb_project golang-1.19-src usr/share/go-1.19/src
deb_project ruby-actionpack usr/share/rubygems-integration/all/gems
deb_project ruby-activerecord usr/share/rubygems-integration/all/gems
deb_project wordpress usr/share/wordpress/wp-includes
