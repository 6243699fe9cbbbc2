/** `enable` where systemd runs: the engine and the keeper come with the machine, and stacks with them, in the order of `up`. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { launcher } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { lacking, program, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { SystemdMachine, withoutSystemd } from '../support/systemd-machine.ts'

const makeImages = fileURLToPath(new URL('../../examples/make-images', import.meta.url))
const yaml = `services:
  db:
    image: busybox
    command: sh -c 'rm -f /tmp/ok; sleep 1; touch /tmp/ok; echo db >>/log/log; exec sleep infinity'
    healthcheck: {test: test -e /tmp/ok, interval: 100ms, retries: 100}
    restart: always
    stop_signal: SIGKILL
    volumes: ["log:/log"]
    post_start: [{command: sh -c 'echo hook >>/log/log'}]
  web:
    image: busybox
    command: sh -c 'echo web >>/log/log; exec sleep infinity'
    restart: always
    stop_signal: SIGKILL
    volumes: ["log:/log"]
    depends_on: {db: {condition: service_healthy}}
volumes: {log: {}}
`
const needed = ['busybox', 'nft', 'unshare', 'nsenter', 'pivot_root'].map(program)

describe('enable, under systemd,', {
  skip: lacking(root(), ...needed) || withoutSystemd(),
  timeout: 300_000 * patience,
}, () => {
  let machine: SystemdMachine
  before(async () => {
    machine = await SystemdMachine.boot()
  })
  after(() => machine?.stop())

  const environment = `export PATH=${process.env.PATH}:/usr/sbin:/sbin HOME=/root NO_COLOR=1 TSCOMPOSE_WARM=0; unset DOCKER_HOST`
  const say = (text: string) => machine.do(`${environment}; mkdir -p /srv/shop; cd /srv/shop; ${text}`)
  /** The hook beside the program that it is for, then what waited for that. */
  const sorted = ([first, second, ...rest]: readonly string[]) => [...[first, second].sort(), ...rest]
  const log = async () => (await say(`${launcher} exec -T web cat /log/log`)).trim().split('\n')
  const running = async () => {
    const rows = (await say(`${launcher} ps --format json`)).trim().split('\n')
    return rows
      .filter(row => row !== '')
      .map(row => JSON.parse(row) as { ID: string; State: string })
      .map(({ ID, State }) => `${ID} ${State}`)
  }

  test('brings stacks up with the machine, in order, under their conditions and with their hooks', async () => {
    await say(`${launcher} enable && systemctl start tscompose-engine`)
    assert.equal((await say('systemctl is-enabled tscompose-engine')).trim(), 'enabled')
    await eventually(
      'the engine',
      async () => (await machine.run(`${environment}; ${launcher} engine status`)).code === 0,
    )
    await say(`${makeImages} busybox; cat >compose.yaml <<'end'\n${yaml}end\n${launcher} up -d`)
    assert.match(await say(`${launcher} engine status`), /keeper +process \d+, .*holds one stack/)
    assert.deepEqual(sorted(await log()), ['db', 'hook', 'web'])
    const containers = await running()

    await machine.reboot()
    await eventually('web', async () => (await log()).length === 6, 60_000)
    assert.deepEqual(sorted((await log()).slice(3)), ['db', 'hook', 'web'])
    assert.deepEqual(await running(), containers)
    assert.equal((await say('systemctl is-active tscompose-engine')).trim(), 'active')
    assert.match(await say(`${launcher} plan`), /no changes/)
  })

  test('an engine that systemd restarts takes the containers over', async () => {
    const before = await say(`${launcher} top`)
    await say('systemctl restart tscompose-engine')
    await eventually(
      'the engine',
      async () => (await machine.run(`${environment}; ${launcher} engine status`)).code === 0,
    )
    assert.equal(await say(`${launcher} top`), before)
    await eventually('the keeper', async () => /holds one stack/.test(await say(`${launcher} engine status`)))
    assert.equal((await log()).length, 6)
  })
})
