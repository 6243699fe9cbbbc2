/** The containers of a stack, one line each. */
import { isFailure } from '../../lib/failure.ts'
import { type ContainerRow, containerHeadings, containerRow } from '../../view/containers.ts'
import { serviceOf } from '../../view/names.ts'
import { warnOfBrokenOff } from '../broken-off.ts'
import { type Call, command } from '../command.ts'
import { heldStacks } from '../keeping.ts'
import { usage } from '../options.ts'
import { formatOption, printList } from '../print.ts'
import { loadProject } from '../project.ts'
import { replicasOf } from '../replicas.ts'

export const ps = command({
  usage: '[OPTIONS] [SERVICE...]',
  options: {
    all: { kind: 'flag', short: 'a', about: 'Show stopped containers and those of run too' },
    quiet: { kind: 'flag', short: 'q', about: 'Print ids only' },
    services: { kind: 'flag', about: 'Print the names of services only' },
    status: {
      kind: 'list',
      value: 'STATE',
      choices: ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'],
      lenient: true,
      about: 'Only containers in this state; repeat for several',
    },
    filter: { kind: 'text', value: 'status=STATE', about: 'The same as --status' },
    format: formatOption,
    'no-trunc': { kind: 'flag', about: 'Show ids and commands in full' },
    orphans: { kind: 'flag', on: true, about: 'Show containers of services the stack no longer has' },
  },
  examples: [
    ['tscompose ps', 'what runs'],
    ['tscompose ps -a --format json', 'everything, for a program'],
    ["tscompose ps --format 'table {{.Name}}\\t{{.Ports}}'", 'two columns'],
  ],
  async run(call) {
    const { options, screen, args } = call
    const filtered = filterOf(options.filter)
    const states = [...options.status, ...(filtered === undefined ? [] : [filtered])]
    const every = options.all || states.length > 0
    const { containers: found, client, project } = await replicasOf(call, { all: every, oneOff: every, services: args })
    const ours = options.orphans || args.length > 0 ? undefined : await servicesOf(call)
    const containers = found
      .filter(each => states.length === 0 || states.includes(each.State))
      .filter(each => ours === undefined || ours.has(serviceOf(each)))
    if (options.quiet) return screen.printAll(containers.map(each => each.Id))
    if (options.services) return screen.printAll([...new Set(containers.map(serviceOf))])
    await warnOfBrokenOff(call, { host: client.host, project })
    const now = Date.now()
    const notes = await keeperNotes(call)
    await printList<ContainerRow & { readonly Note?: string }>(screen, {
      format: options.format ?? (await usualFormat(call)),
      rows: containers.map(each => withNote(containerRow(each, { now, whole: options['no-trunc'] }), notes)),
      columns: {
        NAME: row => row.Name,
        IMAGE: row => row.Image,
        COMMAND: row => row.Command,
        SERVICE: row => row.Service,
        CREATED: row => row.RunningFor,
        STATUS: row => (row.Note === undefined ? row.Status : `${row.Status}, ${row.Note}`),
        PORTS: row => row.Ports,
      },
      headings: containerHeadings,
      json: 'lines',
      anyText: true,
    })
  },
})

/** What the keeper has done to containers because of their state, by name. */
async function keeperNotes(call: Call): Promise<ReadonlyMap<string, string>> {
  const held = await heldStacks(call, await call.connect())
  return new Map([...held.values()].flatMap(({ Notes }) => Object.entries(Notes)))
}

function withNote(row: ContainerRow, notes: ReadonlyMap<string, string>): ContainerRow & { readonly Note?: string } {
  const note = notes.get(row.Name)
  return note === undefined ? row : { ...row, Note: note }
}

/** What the user has written into the docker configuration; one that cannot be read is no reason to show nothing. */
async function usualFormat({ env, screen }: Call): Promise<string | undefined> {
  const { readConfig } = await import('../../client/docker-config.ts')
  try {
    const format: unknown = (await readConfig(env))?.psFormat
    return typeof format === 'string' && format !== '' ? format : undefined
  } catch (error) {
    if (!isFailure(error)) throw error
    screen.warn(error.message)
    return undefined
  }
}

function filterOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const equals = text.indexOf('=')
  if (equals < 0) throw usage('arguments to --filter should be in form KEY=VAL')
  if (text.slice(0, equals) !== 'status') throw usage(`unknown filter ${text.slice(0, equals)}`)
  return text.slice(equals + 1)
}

/** Those of the stack, which only --orphans=false needs to read. */
async function servicesOf(call: Parameters<typeof loadProject>[0]): Promise<ReadonlySet<string>> {
  const { project } = await loadProject(call)
  return new Set(Object.keys(project.services))
}
