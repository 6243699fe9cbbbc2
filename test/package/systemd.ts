/**
 * The Debian package under systemd, in a machine of namespaces: installed, started by its socket, rebooted, upgraded, removed and purged with
 * containers that run. `npm run package && node test/package/systemd.ts`, as root; a minute or two.
 */
import assert from 'node:assert/strict'
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eventually } from '../support/eventually.ts'
import { SystemdMachine } from '../support/systemd-machine.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const [deb] = globSync(join(root, 'build/package/*.deb'))
assert.ok(deb && existsSync(deb), 'there is no package: npm run package makes it')

const say = (text: string) => console.log(`package: ${text}`)
const machine = await SystemdMachine.boot()
const environment = 'export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root NO_COLOR=1; unset DOCKER_HOST'
const run = (text: string) => machine.do(`${environment}; mkdir -p /srv/shop; cd /srv/shop; ${text}`)
const state = async (unit: string) => (await machine.run(`systemctl is-active ${unit}`)).stdout.trim()

try {
  const before = await run('find /usr /etc -xdev -newer /proc/1 -name "*tscompose*" | sort')
  assert.equal(before, '')
  await run(`dpkg -i ${deb}`)
  assert.equal(await state('tscompose-engine.socket'), 'active')
  assert.equal(await state('tscompose-engine.service'), 'inactive')
  say('installed: the socket listens, no engine runs')

  await run('curl -s --unix-socket /run/tscompose/engine.sock http://engine/version >/tmp/version')
  assert.equal(await state('tscompose-engine.service'), 'active')
  assert.match(await run('cat /tmp/version'), /"ApiVersion"/)
  say('the first connection to the socket starts the engine')

  await run(`cat >compose.yaml <<'end'
services:
  web:
    image: busybox
    command: sleep infinity
    restart: always
    stop_signal: SIGKILL
    volumes: ["data:/data"]
volumes: {data: {}}
end
mkdir -p image/bin; cp "$(command -v busybox)" image/bin/busybox
for name in sh sleep cat echo; do ln -sf busybox image/bin/$name; done
tar -C image --owner=0 --group=0 --numeric-owner -cf busybox.tar .
tscompose image import --change 'CMD ["sh"]' busybox.tar busybox
tscompose up -d
tscompose exec -T web sh -c 'echo kept >/data/kept'`)
  const running = async () => (await run('tscompose ps --status running --format "{{.Service}}"')).trim()
  assert.equal(await running(), 'web')
  say('a stack is up')

  await machine.reboot()
  await eventually('the stack after a reboot', async () => (await running()) === 'web', 60_000)
  assert.equal((await run('tscompose exec -T web cat /data/kept')).trim(), 'kept')
  say('rebooted: it is up again, with its data')

  const top = await run('tscompose top')
  await run(`dpkg -i ${deb}`)
  await eventually('the engine after an upgrade', async () => (await running()) === 'web', 30_000)
  assert.equal(await run('tscompose top'), top)
  say('upgraded: the container has run on')

  await run('dpkg -r tscompose')
  const left = await machine.run('pgrep -af tscompose | grep -vw bash; ls /run/tscompose; command -v tscompose')
  assert.equal(left.stdout, '', 'something runs that nobody can end any more')
  assert.equal(
    await run('cat /var/lib/tscompose/volumes/*/_data/kept || find /var/lib/tscompose -name kept -exec cat {} +'),
    'kept\n',
  )
  say('removed: nothing runs, the data is there')

  await run('dpkg -P tscompose')
  assert.equal((await run('ls -A /var/lib/tscompose 2>/dev/null || true')).trim(), '')
  assert.equal(
    (
      await run(
        'find /usr /etc /run /var/lib/systemd /sys/fs/cgroup -xdev -name "*tscompose*" | grep -v bash_jobs || true',
      )
    ).trim(),
    '',
  )
  assert.equal(await run('ip -o link show type bridge; ip -o link show type veth; nft list tables'), '')
  say('purged: nothing is left')
} finally {
  await machine.stop()
}
