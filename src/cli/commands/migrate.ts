import { type ContainerSummary, containerEndpoints } from '../../api/containers.ts'
import { listedName } from '../../api/listed-name.ts'
import { type Client, createClient } from '../../client/client.ts'
import { Failure, isFailure, messageOf } from '../../lib/failure.ts'
import { list, plural, printable } from '../../lib/text.ts'
import { formatBytes } from '../../lib/units.ts'
import { lookAt, type Migration } from '../../migration/migration.ts'
import { labels } from '../../targets/engine/labels.ts'
import { applyPlan } from '../apply-plan.ts'
import { bringUp, upOptions, wantedOf } from '../bring-up.ts'
import { type Call, command } from '../command.ts'
import { usage } from '../options.ts'
import { loadProject } from '../project.ts'
import type { Screen } from '../screen.ts'
import { collect, valuesOf } from '../values.ts'

const dockerSocket = 'unix:///var/run/docker.sock'

export const migrate = command({
  usage: '[OPTIONS] [PROJECT]',
  about:
    'Shows what a project that runs on a Docker Engine uses, what of it stays behind and what is not honoured here. With --apply its containers are stopped there, images and named volumes are copied, and it is brought up here. Nothing is removed there. PROJECT is one whose stack files are elsewhere; otherwise it is that of this folder.',
  words: [0, 1],
  options: {
    from: { kind: 'text', value: 'URL', about: `The engine it is moved from (default: ${dockerSocket})` },
    apply: { kind: 'flag', about: 'Move it' },
    json: { kind: 'flag', about: 'What would be moved, as JSON' },
  },
  examples: [
    ['tscompose migrate', 'what would be moved of the project of this folder'],
    ['tscompose migrate --apply', 'stop it there, copy images and volumes, bring it up here'],
    ['tscompose migrate --from unix:///run/user/1000/docker.sock shop', 'of a project that runs in another folder'],
  ],
  async run(call) {
    const { options, signal, screen } = call
    const source = createClient(options.from ?? dockerSocket)
    try {
      const target = await call.connect()
      if (target.host === source.host)
        throw usage(
          `Cannot move a project from "${source.host}" to itself`,
          'Leave DOCKER_HOST out, or say by --from where it is',
        )
      const within = await ofProject(call, source)
      const { project } = await loadProject(within, { making: { services: 'all' } })
      const migration = await lookAt(project.name, { source, target, signal })
      if (migration.containers.length === 0)
        throw new Failure(
          'not-found',
          `Cannot move project "${project.name}": "${source.host}" has no containers of it`,
        )
      if (options.json) {
        const { containers, ...rest } = migration
        screen.print(JSON.stringify({ version: 1, ...rest, containers: containers.map(listedName) }, null, 2))
      } else screen.printAll(linesOf(migration, screen))
      if (!options.apply) {
        if (!options.json) screen.say('\nNothing was changed: --apply moves it')
        return 0
      }
      return await move(within, migration, { source, target })
    } finally {
      source.close()
    }
  },
})

/** The call as it would be in the folder of a project that is named, with the files that its containers were made from. */
async function ofProject(call: Call, source: Client): Promise<Call> {
  const [name] = call.args
  if (name === undefined) return call
  const query = { all: true, filters: { label: [`${labels.project}=${name}`] } }
  const [first] = await source.call(containerEndpoints.containerList, { query }, call)
  const cwd = first?.Labels?.[labels.directory]
  if (!first || !cwd)
    throw new Failure('not-found', `Cannot move project "${name}": "${source.host}" has no containers of it`)
  const files = first.Labels?.[labels.files]?.split(',').filter(file => file !== '') ?? []
  const globals = { ...call.globals, 'project-name': name, 'project-directory': cwd, file: files }
  return { ...call, args: [], cwd, globals }
}

function linesOf({ containers, images, volumes, left }: Migration, { paint }: Screen): readonly string[] {
  const running = containers.filter(({ State }) => State === 'running')
  const bold = (text: string) => paint('bold', text)
  return [
    bold('Containers'),
    `  ${plural(containers.length, 'container')}, ${running.length} of them running: ${list(containers.map(listedName))}`,
    bold('Images'),
    ...images.map(
      ({ name, size, isThere }) => `  ${name} (${formatBytes(size)})${isThere ? ': is there already' : ': is copied'}`,
    ),
    bold('Volumes'),
    ...(volumes.length === 0 ? ['  none'] : []),
    ...volumes.map(({ name, stays }) => `  ${name}${stays === undefined ? ': is copied' : ` is not copied: ${stays}`}`),
    ...(left.length === 0 ? [] : [bold('Stays behind')]),
    ...left.map(text => `  ${text}`),
  ].map(printablePainted)
}

/** Names are of the engine; colours are ours. */
function printablePainted(line: string): string {
  return line
    .split(/(\x1b\[\d+m)/)
    .map(part => (/^\x1b\[\d+m$/.test(part) ? part : printable(part)))
    .join('')
}

interface Sides {
  readonly source: Client
  readonly target: Client
}

async function move(call: Call, migration: Migration, { source, target }: Sides): Promise<number> {
  const { screen, signal } = call
  const [{ moveImages, moveVolumes }, { observe }, { planStop }] = await Promise.all([
    import('../../migration/move.ts'),
    import('../../targets/engine/observe.ts'),
    import('../../targets/engine/plan/turn.ts'),
  ])
  const engines = { source, target, signal }
  const { project } = await loadProject(call, { onWarnings: () => {} })
  const wait = migration.images.filter(({ isThere }) => !isThere)
  if (wait.length > 0) screen.say(`Copying ${plural(wait.length, 'image')}`)
  await moveImages(migration, engines)
  const running = migration.containers.filter(({ State }) => State === 'running' || State === 'paused')
  try {
    const observed = await observe(source, project.name, { signal, containersOnly: true })
    await applyPlan(call, { plan: planStop(project, observed), client: source, nothing: '' })
    await moveVolumes(migration, engines, name => screen.say(`Copying volume ${printable(name)}`))
  } catch (error) {
    await startAgain(call, source, running)
    throw error
  }
  const up = await wantedOf(call, valuesOf(upOptions, collect([])))
  if (!(await bringUp(call, up, { yes: false }))) return 1
  screen.say(
    `\nMoved. At ${source.host} it is stopped, and all of it is there: "docker compose -p ${migration.project} down" removes it, with -v its volumes too`,
  )
  return 0
}

/** It serves again where it was; what cannot be started is told, and the failure behind it follows. */
async function startAgain({ screen }: Call, source: Client, containers: readonly ContainerSummary[]): Promise<void> {
  screen.say(`Starting it again at ${source.host}`)
  for (const container of containers)
    await source.call(containerEndpoints.containerStart, { params: { id: container.Id } }).catch((error: unknown) => {
      if (!isFailure(error, 'not-modified'))
        screen.warn(`${printable(listedName(container))}: ${printable(messageOf(error))}`)
    })
}
