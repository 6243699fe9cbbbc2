/** A project moves from a real Docker Engine to ours, with its images and the content of its volumes. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { command } from '../support/command.ts'
import { jsonLines, launcher, TestEngine } from '../support/engine.ts'
import { freePort } from '../support/free-port.ts'
import { dockerEngine, lacking, program, root } from '../support/needs.ts'
import { busyboxImageTar } from '../support/tiny-image.ts'

const docker = await dockerEngine()
const skip = docker
  ? lacking(root(), program('busybox'), program('nft'))
  : 'no Docker Engine here: set TSCOMPOSE_TEST_DOCKER to the socket of one'

describe('migrate', { skip }, () => {
  const project = `move${process.pid}`
  const folder = mkdtempSync(join(tmpdir(), 'tsc-move-'))
  const image = `tscompose-move-${process.pid}`
  let engine: TestEngine
  const run = async (host: string, cwd: string, ...args: readonly string[]) => {
    const env = { ...engine.env, DOCKER_HOST: host, TSCOMPOSE_STATE: join(folder, 'state', host.replaceAll('/', '_')) }
    return await command(launcher, args, { cwd, env })
  }
  const ok = async (host: string, ...args: readonly string[]) => {
    const said = await run(host, folder, ...args)
    assert.equal(said.code, 0, `${args.join(' ')}\n${said.stdout}${said.stderr}\n${engine.log}`)
    return said.stdout
  }
  const states = async (host: string) =>
    Object.fromEntries(
      jsonLines(await ok(host, 'ps', '-a', '--format', 'json')).map(({ Service, State }) => [Service, State]),
    )

  before(async () => {
    engine = await TestEngine.start([])
    const port = await freePort()
    writeFileSync(
      join(folder, 'compose.yaml'),
      `name: ${project}
services:
  db:
    image: ${image}
    command: sh -c 'httpd -f -p 80 -h /data'
    ports: ["127.0.0.1:${port}:80"]
    volumes: ["data:/data", "/scratch"]
    stop_grace_period: 0s
  beside: {image: ${image}, command: sleep 99, volumes: ["kept:/kept"], stop_grace_period: 0s, cpu_count: 2}
volumes: {data: {}, kept: {}}
`,
    )
    writeFileSync(join(folder, 'image.tar'), await busyboxImageTar(`${image}:latest`))
    await ok(docker!, 'image', 'load', '-i', 'image.tar')
    await ok(docker!, 'up', '-d')
    const fill =
      'echo moved > /data/a; mkdir /data/b; ln -s ../a /data/b/link; chown 1000:50 /data/b; chmod 750 /data/b; touch /left'
    await ok(docker!, 'exec', '-T', 'db', 'sh', '-c', fill)
  })
  after(async () => {
    for (const host of [docker!, engine.host]) await run(host, folder, 'down', '-v', '-y', '-t', '0')
    await run(docker!, folder, 'image', 'rm', image)
    rmSync(folder, { recursive: true })
    await engine.stop()
  })

  test('shows what is moved and what stays behind, and changes nothing', async () => {
    const { code, stdout, stderr } = await run(engine.host, folder, 'migrate', '--from', docker!)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^ {2}2 containers, 2 of them running: \S+-beside-1 and \S+-db-1$/m)
    assert.match(stdout, new RegExp(`^ {2}${image} \\(.*\\): is copied$`, 'm'))
    assert.match(stdout, new RegExp(`^ {2}${project}_data: is copied\n {2}${project}_kept: is copied$`, 'm'))
    assert.match(stdout, /^ {2}the anonymous volume at \/scratch of \S+-db-1: a new one is made$/m)
    assert.match(stdout, /^ {2}\d+ files? (or|and) folders? that \S+-db-1 has changed in its root$/m)
    // what is not honoured here is said as ever
    assert.match(stderr, /services\.beside\.cpu_count/)
    assert.match(stderr, /Nothing was changed: --apply moves it\n$/)
    assert.deepEqual(await states(docker!), { db: 'running', beside: 'running' })
    assert.deepEqual(await states(engine.host), {})
  })

  test('refuses to move a project to where it is, and one that is not there', async () => {
    const itself = await run(docker!, folder, 'migrate', '--from', docker!)
    assert.equal(itself.code, 1)
    assert.match(itself.stderr, /Cannot move a project from ".*" to itself/)
    const gone = await run(engine.host, folder, 'migrate', '--from', docker!, 'no-such-project')
    assert.match(gone.stderr, /Cannot move project "no-such-project": ".*" has no containers of it/)
  })

  test('starts it again where it was when something cannot be copied, and leaves nothing half', async () => {
    // the engine cannot make the volume: a file is in its way
    const way = join(engine.roots.data, 'volumes', `${project}_kept`)
    mkdirSync(join(way, '..'), { recursive: true })
    writeFileSync(way, '')
    const { code, stderr } = await run(engine.host, folder, 'migrate', '--from', docker!, '--apply')
    assert.equal(code, 1, stderr)
    assert.match(stderr, /Starting it again at/)
    assert.deepEqual(await states(docker!), { db: 'running', beside: 'running' })
    rmSync(way)
    assert.deepEqual(await states(engine.host), {})
    // what is written there from now on would be missing in a copy that stays
    assert.equal((await engine.docker(['volume', 'ls', '-q'])).stdout, '')
    await ok(docker!, 'exec', '-T', 'db', 'sh', '-c', 'echo later > /data/later')
  })

  test('moves it, named by its project from another folder: content, owners and modes are those of before', async () => {
    const { code, stdout, stderr } = await run(engine.host, tmpdir(), 'migrate', '--from', docker!, '--apply', project)
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`^ {2}${image} \\(.*\\): is there already$`, 'm'))
    assert.match(stderr, /Moved\. At .* it is stopped, and all of it is there/)
    assert.deepEqual(await states(engine.host), { db: 'running', beside: 'running' })
    assert.deepEqual(await states(docker!), { db: 'exited', beside: 'exited' })
    const look = 'cat /data/b/link /data/a /data/later; stat -c "%u:%g %a" /data/b'
    assert.equal(await ok(engine.host, 'exec', '-T', 'db', 'sh', '-c', look), 'moved\nmoved\nlater\n1000:50 750\n')
    assert.match(await ok(engine.host, 'plan'), /no changes/)
    // a second time nothing is overwritten
    await ok(engine.host, 'exec', '-T', 'db', 'sh', '-c', 'echo newer > /data/a')
    const again = await run(engine.host, folder, 'migrate', '--from', docker!, '--apply')
    assert.match(again.stdout, /_data is not copied: there is one of this name already, which is left as it is/)
    assert.equal(await ok(engine.host, 'exec', '-T', 'db', 'cat', '/data/a'), 'newer\n')
  })
})
