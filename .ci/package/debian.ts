/** A Debian package: the tree with its own Node in /usr/lib/tscompose, units, manual pages, completions. Built by dpkg-deb. */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { commands } from '../../src/cli/commands.ts'
import { completedOf, completionScript } from '../../src/cli/completion.ts'
import { manPages } from '../../src/cli/man.ts'
import { engineSocketUnit, engineUnit, keeperUnit } from '../../src/cli/systemd-units.ts'
import { keeperSocket } from '../../src/holding/place.ts'
import { keeperCommand, keeperEnvironment } from '../../src/holding/start.ts'
import { keeperFlags } from '../../src/installation/node-flags.ts'
import { manifestOf } from './tree.ts'

export interface Debian {
  /** The project's. */
  readonly root: string
  /** Of .ci/package/tree.ts, with the code cache of the command line and koffi in it. */
  readonly tree: string
  readonly node: string
  readonly output: string
}

const home = 'usr/lib/tscompose'

export async function makeDebian({ root, tree, node, output }: Debian): Promise<void> {
  const work = `${output}.work`
  rmSync(work, { recursive: true, force: true })
  const put = (path: string, content: string | Uint8Array, mode = 0o644) => {
    mkdirSync(dirname(join(work, path)), { recursive: true })
    writeFileSync(join(work, path), content)
    chmodSync(join(work, path), mode)
  }
  mkdirSync(join(work, home), { recursive: true })
  cpSync(tree, join(work, home), { recursive: true })
  const ownNode = `${home}/node_modules/node/bin/node`
  put(ownNode, readFileSync(node), 0o755)
  execFileSync('strip', ['--strip-all', join(work, ownNode)])
  mkdirSync(join(work, 'usr/bin'))
  symlinkSync('../lib/tscompose/src/cli/tscompose', join(work, 'usr/bin/tscompose'))
  for (const { name, text } of units()) put(`usr/lib/systemd/system/${name}`, text)
  const { version, description } = manifestOf(root)
  for (const { name, text } of await manPages(commands, version))
    put(`usr/share/man/man1/${name}.gz`, gzipSync(text, { level: 9 }))
  const completed = await completedOf(commands)
  put('usr/share/bash-completion/completions/tscompose', completionScript('bash', completed))
  put('usr/share/zsh/vendor-completions/_tscompose', completionScript('zsh', completed))
  put('usr/share/fish/vendor_completions.d/tscompose.fish', completionScript('fish', completed))
  put('usr/share/doc/tscompose/copyright', readFileSync(join(root, 'LICENSE')))
  put('usr/share/doc/tscompose/changelog.gz', gzipSync(readFileSync(join(root, 'CHANGELOG.md')), { level: 9 }))
  for (const file of ['LICENSE', 'CHANGELOG.md', 'README.md']) rmSync(join(work, home, file))
  put(
    'DEBIAN/control',
    `Package: tscompose
Version: ${version}
Architecture: amd64
Maintainer: The authors of tscompose <tscompose@localhost>
Installed-Size: ${Math.ceil(sizeOf(work) / 1024)}
Depends: libc6 (>= 2.31), libgcc-s1, libstdc++6, libnftables1, libseccomp2
Recommends: util-linux, ca-certificates
Section: admin
Priority: optional
Description: ${description}
 Reads Compose files and runs them on an engine of its own, which Docker's
 clients can use as well; it drives a Docker Engine too. Brings its own Node.
`,
  )
  for (const [name, text] of Object.entries(scripts)) put(`DEBIAN/${name}`, text, 0o755)
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '-z1', '--build', work, output], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  rmSync(work, { recursive: true })
}

/** The engine by its socket; its keeper is its companion. The keeper alone is for a Docker Engine, and not enabled. */
function units() {
  const host = 'unix:///var/run/docker.sock'
  const place = { host, env: {}, uid: 0 }
  const node = ['/usr/lib/tscompose/node_modules/node/bin/node', '--disable-warning=ExperimentalWarning'] as const
  const keeper = [...node, ...keeperFlags, '/usr/lib/tscompose/src/keeper/start.cjs']
  return [
    // not through the command line: Node closes what it was started with when it becomes another program
    engineUnit([...node, '/usr/lib/tscompose/src/engine/start.cjs'], { hasSocket: true }),
    engineSocketUnit(),
    keeperUnit({
      command: keeperCommand({ ...place, socket: keeperSocket(place)!, program: keeper }),
      environment: keeperEnvironment(place),
      host,
    }),
  ]
}

/** deb-postinst(5) and its kin. */
const scripts = {
  postinst: `#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  # after an upgrade the next engine takes the running containers over
  if [ -n "$2" ]; then systemctl try-restart tscompose-engine.service; else systemctl enable --now tscompose-engine.socket; fi
fi
`,
  prerm: `#!/bin/sh
set -e
[ "$1" = remove ] || exit 0
# what runs on would be out of anybody's reach; the engine here, whatever the variables of this shell name
env -u DOCKER_HOST -u DOCKER_CONTEXT /usr/bin/tscompose engine stop --containers ||
  echo "tscompose: not all was stopped: containers may run on" >&2
if [ -d /run/systemd/system ]; then
  systemctl disable --now tscompose-engine.socket tscompose-engine.service tscompose-keeper.service
fi
`,
  postrm: `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
if [ "$1" = remove ] || [ "$1" = purge ]; then
  rm -rf /run/tscompose
  # as a boot would: the next engine makes anew what its networks need
  used=
  for link in /sys/class/net/tsc-*; do
    if [ -n "$(ls -A "$link/brif" 2>/dev/null)" ]; then used=yes; fi
    if [ -d "$link/brif" ] && [ -z "$(ls -A "$link/brif")" ] && command -v ip >/dev/null; then ip link delete "\${link##*/}"; fi
  done
  if [ -z "$used" ] && command -v nft >/dev/null && nft list table inet tscompose >/dev/null 2>&1; then
    nft delete table inet tscompose
  fi
fi
if [ "$1" = purge ]; then
  rm -rf /etc/tscompose
  # a disk of its own may be mounted there
  if [ -d /var/lib/tscompose ]; then
    find /var/lib/tscompose -xdev -mindepth 1 -delete
    mountpoint -q /var/lib/tscompose || rmdir /var/lib/tscompose
  fi
fi
`,
} as const

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}
