/** The keeper beside our engine, which keeps it as a companion, and beside a real Docker Engine, by itself. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { endpoints } from '../../src/api/endpoints.ts'
import { keeperEndpoints } from '../../src/api/keeper.ts'
import { createClient } from '../../src/client/client.ts'
import { findKeeper } from '../../src/holding/keeper.ts'
import { onBothEngines } from '../support/both-engines.ts'
import { eventually } from '../support/eventually.ts'

const project = `held${process.pid}`

await onBothEngines('the keeper', [project], ground => {
  const keeper = () => findKeeper({ host: ground().host, env: ground().env })
  const held = async () => {
    const client = await keeper()
    try {
      return (await client?.call(keeperEndpoints.stackList, {}))?.find(({ Name }) => Name === project)
    } finally {
      client?.close()
    }
  }
  const settled = () => eventually('it is settled', async () => (await held())?.State === 'settled')
  const inspect = async (name: string) => {
    const client = createClient(ground().host)
    try {
      return await client.call(endpoints.containerInspect, { params: { id: `${project}-${name}-1` } })
    } finally {
      client.close()
    }
  }
  const docker = async (work: (client: ReturnType<typeof createClient>) => Promise<unknown>) => {
    const client = createClient(ground().host)
    try {
      await work(client)
    } finally {
      client.close()
    }
  }

  test('mends what was killed, restarts what follows it, respects a stop, follows files, and ends with down', async t => {
    const other = await keeper()
    other?.close()
    // one for each engine, which is others' to end
    if (other) return t.skip('a keeper holds stacks of that engine already')
    const { image, folder, run } = ground()
    const yaml = (value: string) => `name: ${project}
services:
  db: {image: ${image}, command: sleep infinity, stop_signal: SIGKILL}
  web:
    image: ${image}
    command: sleep infinity
    stop_signal: SIGKILL
    environment: {V: "${value}"}
    depends_on: {db: {condition: service_started, restart: true}}
`
    const write = (value: string) => writeFileSync(join(folder, 'compose.yaml'), yaml(value))
    write('1')
    await run('.', 'up', '--watch', '-d')
    await settled()
    const startOf = async (name: string) => Date.parse((await inspect(name)).State.StartedAt)
    const before = await startOf('web')
    await docker(client => client.call(endpoints.containerKill, { params: { id: `${project}-db-1` } }))
    await eventually('db', async () => (await inspect('db')).State.Running)
    await eventually('web after it', async () => (await startOf('web')) > before)
    await settled()
    await docker(client => client.call(endpoints.containerStop, { params: { id: `${project}-db-1` } }))
    await settled()
    write('2')
    await eventually('the file', async () =>
      ((await inspect('web').catch(() => undefined))?.Config.Env ?? []).includes('V=2'),
    )
    await settled()
    assert.equal((await inspect('db')).State.Running, false, 'what was stopped stays so')
    // what is mended together with a look at the files stands under that
    assert.match(
      await run('.', 'history', '--format', '{{.Command}} {{.User}}'),
      /^watch keeper\n((repair|watch) keeper\n)+up root\n$/,
    )
    await run('.', 'down')
    await eventually('its end', async () => (await held()) === undefined)
  })

  test('comes back when it is killed, and with the next command when what starts it again is killed too', async t => {
    const other = await keeper()
    other?.close()
    if (other) return t.skip('a keeper holds stacks of that engine already')
    const { kind, image, folder, attempt, run } = ground()
    const sleeper = `image: ${image}, command: sleep infinity, stop_signal: SIGKILL, x-on-unhealthy: restart`
    writeFileSync(join(folder, 'compose.yaml'), `name: ${project}\nservices:\n  web: {${sleeper}}\n`)
    await run('.', 'up', '-d')
    await settled()
    const pid = async () => {
      const client = await keeper()
      try {
        return (await client?.call(keeperEndpoints.keeperStatus, {}))?.Pid
      } finally {
        client?.close()
      }
    }
    const first = (await pid())!
    process.kill(first, 'SIGKILL')
    const second = await eventually('another', async () => {
      const now = await pid()
      return now !== first && now
    })
    await settled()
    if (kind === 'Docker') {
      // proc_pid_stat(5): after the name in brackets its state, and who has started it
      const above = Number(/\) . (\d+) /.exec(readFileSync(`/proc/${second}/stat`, 'utf8'))![1])
      assert.match(readFileSync(`/proc/${above}/cmdline`, 'utf8'), /^\/bin\/sh\0-c\0[^\0]+\0tscompose-keeper\0/)
      process.kill(above, 'SIGKILL')
      process.kill(second, 'SIGKILL')
      const client = createClient(ground().host)
      await client.call(endpoints.containerKill, { params: { id: `${project}-web-1` } })
      client.close()
      const said = await attempt('.', 'ls', '-a')
      assert.equal(said.code, 0, said.stderr)
      assert.match(said.stderr, new RegExp(`The keeper, which holds "${project}", was ended: it is started again`))
      assert.match(said.stdout, new RegExp(`^${project} `, 'm'))
      await settled()
    }
    await run('.', 'down')
    await eventually('its end', async () => (await pid().catch(() => undefined)) === undefined)
  })
})
