/**
 * The guestbook on a swarm of two machines, each a real Docker Engine in a network of its own: brought up from a registry that only they
 * reach, scaled, updated under load, rolled back, with one of the two switched off, and gone. This kernel has no IPVS: ports are of the
 * node (mode host), names resolve to the tasks (dnsrr), and ingress is not tried here.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type SwarmService, type SwarmTask, swarmObjects } from '../../src/api/swarm-objects.ts'
import { type Client, createClient } from '../../src/client/client.ts'
import { stackFilter } from '../../src/targets/swarm/labels.ts'
import { command } from '../support/command.ts'
import { compiled } from '../support/compiled.ts'
import { launcher } from '../support/engine.ts'
import { eventually } from '../support/eventually.ts'
import { type Asker, asking, loadClientSource } from '../support/load-client.ts'
import { lacking, root } from '../support/needs.ts'
import { patience } from '../support/patience.ts'
import { hasRegistry } from '../support/registry.ts'
import { exampleImages, pushExample } from '../support/swarm-images.ts'
import { type Machine, peersRoot, SwarmMachines } from '../support/swarm-machines.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const examples = here('../../examples')
const archives = here('../../node_modules/.cache/images')
const areMade = exampleImages.every(name => existsSync(join(archives, `${name}.tar.gz`)))
const peers = peersRoot()

describe('the guestbook on a swarm of two machines', {
  skip:
    peers === undefined
      ? 'needs two Docker Engines: PEERS, a folder with a root that has dockerd'
      : lacking(
          root(),
          !hasRegistry && 'docker-registry',
          !areMade && `examples/make-images --archives ${exampleImages.join(' ')}`,
        ),
  timeout: 400_000 * patience,
}, () => {
  let swarm: SwarmMachines
  let manager: Machine
  let worker: Machine
  let client: Client
  let loadClient: string
  let asker: Asker | undefined
  const state = mkdtempSync(join(tmpdir(), 'tscompose-nodes-'))
  const folder = join(state, 'guestbook')
  const filters = stackFilter('guestbook')
  const env = () => ({
    DOCKER_HOST: manager.host,
    DOCKER_CONFIG: join(state, 'docker-config'),
    COMPOSE_FILE: 'compose.yaml:swarm.yaml',
    COMPOSE_PROJECT_NAME: '',
    REGISTRY: swarm.registry,
    NO_COLOR: '1',
    TSCOMPOSE_STATE: state,
    TSCOMPOSE_TARGET: 'swarm',
  })
  const attempt = (...args: readonly string[]) => command(launcher, args, { cwd: folder, env: env(), timeout: 120_000 })
  const run = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await attempt(...args)
    assert.equal(code, 0, `${args.join(' ')}\n${stdout}${stderr}`)
    return `${stdout}${stderr}`
  }
  /** A program in the network of the machines. */
  const inside = async (name: string, ...args: readonly string[]) => {
    const { program, args: all } = manager.inside(name, args)
    const said = await command(program, all)
    assert.equal(said.code, 0, `${args.join(' ')}\n${said.stderr}`)
    return said.stdout
  }
  const services = () => client.call(swarmObjects.serviceList, { query: { filters } })
  const written = async () => (await services()).map(({ Spec, Version }: SwarmService) => [Spec.Name, Version.Index])
  const parts = async (): Promise<
    readonly { readonly Service: string; readonly Node: string; readonly State: string }[]
  > => JSON.parse(await run('ps', '--format', 'array'))
  const running = async (service: string) =>
    (await parts()).filter(each => each.Service === service && each.State === 'running')
  const url = async () => (await run('url', 'proxy')).trim()
  /** nginx asks again for names after two seconds. */
  const untilAnswers = async (pattern: RegExp) => {
    const at = await url()
    await eventually(`${pattern}`, async () => pattern.test((await inside('curl', '-sf', at)).trim()))
  }
  /** Asks the engine itself: as many commands would cost more than all that they wait for. */
  const untilTasks = (what: string, are: (tasks: readonly SwarmTask[]) => boolean, ms?: number) =>
    eventually(what, async () => are(await client.call(swarmObjects.taskList, { query: { filters } })), ms)

  before(async () => {
    cpSync(join(examples, 'guestbook'), folder, { recursive: true })
    swarm = await SwarmMachines.start(peers!, 2)
    ;[manager, worker] = swarm.machines as [Machine, Machine]
    client = createClient(manager.host)
    await swarm.join()
    for (const name of exampleImages) await pushExample(name, manager, swarm.registry, archives, state)
    loadClient = await compiled(state, loadClientSource)
  })
  after(async () => {
    asker?.process.kill('SIGKILL')
    client?.close()
    await swarm?.[Symbol.asyncDispose]()
    rmSync(state, { recursive: true, force: true })
  })

  test('comes up in order on both machines, from images of its registry, and a second up writes nothing', async () => {
    const said = await run('up', '-d')
    assert.match(said, /guestbook Pushed/)
    for (const { Spec } of await services())
      assert.match(Spec.TaskTemplate.ContainerSpec.Image, /^198\.18\.[^@]*@sha256:[0-9a-f]{64}$/)
    const web = await running('web')
    assert.deepEqual(web.map(({ Node }) => Node).sort(), [manager.name, worker.name])
    await inside('curl', '-sf', '-d', 'I was here', await url())
    assert.match(await inside('curl', '-sf', await url()), /"entries":\["I was here"\]/)
    const before = await written()
    assert.match(await run('up', '-d'), /no changes/)
    assert.deepEqual(await written(), before)
  })

  test('is scaled without new tasks of those that run', async () => {
    await run('up', '-d', '--scale', 'web=4')
    assert.equal((await running('web')).length, 4)
    await run('up', '-d')
    assert.equal((await running('web')).length, 2)
    // answers what it was asked first
    await untilTasks('the end of those', tasks =>
      tasks.every(({ DesiredState, Status }) => (DesiredState === 'running') === (Status.State === 'running')),
    )
    // one that has ended stands there until the manager forgets it
    await eventually('no other part', async () => (await parts()).every(({ State }) => State === 'running'))
  })

  test('is updated, the new before the old, with no failed request, and goes back', async t => {
    const server = join(folder, 'web/server.js')
    const first = readFileSync(server, 'utf8')
    asker = await ask(new URL(await url()))
    writeFileSync(server, first.replace('by: hostname() }\n}', "by: hostname(), edition: 'second' }\n}"))
    assert.match(await run('plan', '--push'), /image \S+guestbook: build {2}asked for by --push/)
    await run('up', '-d', '--push')
    await untilAnswers(/"edition":"second"/)
    const { answers, ...figures } = await asker.end()
    t.diagnostic(`under load: ${JSON.stringify(figures)}, ${Object.keys(answers).length} answers`)
    assert.deepEqual(figures.errors, {})
    assert.equal(figures.answered, figures.sent)
    const listed = await run('history')
    assert.match(listed, /up/)
    await run('rollback', '-y')
    await untilAnswers(/"by":"[0-9a-f]+"\}$/)
    // the same again is the same image
    writeFileSync(server, first)
    assert.match(await run('up', '-d', '--push'), /no changes/)
  })

  test('moves what ran on a machine that is switched off', async t => {
    const began = Date.now()
    await worker.kill()
    const nodes = await client.call(swarmObjects.nodeList, {})
    const { ID } = nodes.find(({ Description }) => Description.Hostname === manager.name)!
    await untilTasks(
      'all on the machine that is left',
      tasks => {
        const wanted = tasks.filter(({ DesiredState }) => DesiredState === 'running')
        return wanted.length === 4 && wanted.every(({ NodeID, Status }) => NodeID === ID && Status.State === 'running')
      },
      120_000,
    )
    const left = (await parts()).filter(({ State }) => State === 'running')
    assert.deepEqual(
      left.map(({ Node }) => Node),
      Array(4).fill(manager.name),
    )
    t.diagnostic(`moved after ${((Date.now() - began) / 1000).toFixed(1)} s`)
    assert.match(await inside('curl', '-sf', await url()), /"entries":\["I was here"\]/)
    assert.match(await run('up', '-d'), /no changes/)
  })

  test('goes away whole', async () => {
    await run('down', '-y')
    assert.deepEqual(await services(), [])
    for (const list of [swarmObjects.secretList, swarmObjects.configList])
      assert.deepEqual(await client.call(list, { query: { filters } }), [])
  })

  /** 50 requests a second from inside, until it is told to end. */
  async function ask({ hostname, port }: URL): Promise<Asker> {
    const { program, args } = manager.inside(loadClient, [hostname, port, '50', 'short'])
    const asker = asking(program, args)
    await asker.answered(/./)
    return asker
  }
})
