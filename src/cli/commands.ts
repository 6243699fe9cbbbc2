/**
 * The table of commands. A command's options stand in its own file, as on its manual page; this table holds what is
 * needed before that file is loaded, so that no command pays for the imports of another.
 */
import { nearest } from '../lib/problems.ts'
import type { Command } from './command.ts'
import type { HelpRow } from './help.ts'
import { usage } from './options.ts'

export interface CommandRow extends HelpRow {
  load(): Promise<Command>
}

function row(group: string, name: string, summary: string, load: () => Promise<Command>): CommandRow {
  return { group, name, summary, load }
}

const stacks = 'Stacks'
const services = 'Services'
const look = 'Looking'
const containers = 'Inside containers'
const rest = 'Engine and images'

export const commands: readonly CommandRow[] = [
  row(stacks, 'up', 'Create and start what the stack describes', async () => (await import('./commands/up.ts')).up),
  row(
    stacks,
    'down',
    'Stop and remove the containers and networks of the stack',
    async () => (await import('./commands/down.ts')).down,
  ),
  row(stacks, 'plan', 'Show what up would do, and why', async () => (await import('./commands/plan.ts')).plan),
  row(
    stacks,
    'config',
    'Show the stack as it is understood',
    async () => (await import('./commands/config.ts')).config,
  ),
  row(stacks, 'graph', 'Draw who needs whom', async () => (await import('./commands/graph.ts')).graph),
  row(stacks, 'pull', 'Pull the images of services', async () => (await import('./commands/pull.ts')).pull),
  row(stacks, 'ls', 'List the projects that have containers', async () => (await import('./commands/ls.ts')).ls),

  row(
    services,
    'create',
    'Create containers without starting them',
    async () => (await import('./commands/create.ts')).create,
  ),
  row(services, 'start', 'Start the containers of services', async () => (await import('./commands/start.ts')).start),
  row(services, 'stop', 'Stop the containers of services', async () => (await import('./commands/stop.ts')).stop),
  row(
    services,
    'restart',
    'Stop and start the containers of services',
    async () => (await import('./commands/restart.ts')).restart,
  ),
  row(
    services,
    'kill',
    'Send a signal to the containers of services',
    async () => (await import('./commands/kill.ts')).kill,
  ),
  row(services, 'pause', 'Freeze the containers of services', async () => (await import('./commands/pause.ts')).pause),
  row(services, 'unpause', 'Let frozen containers go on', async () => (await import('./commands/unpause.ts')).unpause),
  row(
    services,
    'scale',
    'Change how many replicas services have',
    async () => (await import('./commands/scale.ts')).scale,
  ),
  row(services, 'wait', 'Wait until containers of services end', async () => (await import('./commands/wait.ts')).wait),
  row(services, 'rm', 'Remove stopped containers of services', async () => (await import('./commands/rm.ts')).rm),

  row(look, 'ps', 'List the containers of the stack', async () => (await import('./commands/ps.ts')).ps),
  row(look, 'logs', 'Show what containers have printed', async () => (await import('./commands/logs.ts')).logs),
  row(
    look,
    'events',
    'Show what happens to the containers, as it happens',
    async () => (await import('./commands/events.ts')).events,
  ),
  row(look, 'top', 'Show the processes of containers', async () => (await import('./commands/top.ts')).top),
  row(
    look,
    'port',
    'Show where a port of a container is published',
    async () => (await import('./commands/port.ts')).port,
  ),
  row(
    look,
    'images',
    'List the images the containers were made from',
    async () => (await import('./commands/images.ts')).images,
  ),
  row(
    look,
    'explain',
    'Show the steps that made a container, each with its cause',
    async () => (await import('./commands/explain.ts')).explain,
  ),

  row(
    containers,
    'exec',
    'Run a command in a running container',
    async () => (await import('./commands/exec.ts')).exec,
  ),
  row(
    containers,
    'run',
    'Run a command in a new container of a service',
    async () => (await import('./commands/run.ts')).run,
  ),
  row(containers, 'cp', 'Copy files between a container and here', async () => (await import('./commands/cp.ts')).cp),

  row(rest, 'image ls', 'List the images of the engine', async () => (await import('./commands/image-ls.ts')).imageLs),
  row(
    rest,
    'image load',
    'Load images from an archive',
    async () => (await import('./commands/image-load.ts')).imageLoad,
  ),
  row(
    rest,
    'image import',
    'Make an image from a root file system',
    async () => (await import('./commands/image-import.ts')).imageImport,
  ),
  row(rest, 'image rm', 'Remove images', async () => (await import('./commands/image-rm.ts')).imageRm),
  row(rest, 'engine', 'Run the engine in the foreground', async () => (await import('./commands/engine.ts')).engine),
  row(
    rest,
    'engine status',
    'Tell whether an engine answers, and which',
    async () => (await import('./commands/engine-status.ts')).engineStatus,
  ),
  row(
    rest,
    'engine stop',
    'Stop the engine; containers run on',
    async () => (await import('./commands/engine-stop.ts')).engineStop,
  ),
  row(
    rest,
    'support',
    'Show which attributes of the format are honoured',
    async () => (await import('./commands/support.ts')).support,
  ),
  row(
    rest,
    'version',
    'Show the versions of tscompose and its engine',
    async () => (await import('./commands/version.ts')).version,
  ),
]

/** The command that `words` begin with, the longest name first, and the words after it. */
export function findCommand(words: readonly string[]): { readonly row: CommandRow; readonly rest: readonly string[] } {
  const two = words.slice(0, 2).join(' ')
  const long = words.length > 1 ? commands.find(command => command.name === two) : undefined
  if (long) return { row: long, rest: words.slice(2) }
  const short = commands.find(command => command.name === words[0])
  if (short) return { row: short, rest: words.slice(1) }
  const family = commands.filter(command => command.name.startsWith(`${words[0]} `))
  if (family.length > 0) {
    const names = family.map(command => command.name)
    const near = words[1] === undefined ? undefined : nearest(two, names)
    throw usage(
      words[1] === undefined ? `"${words[0]}" needs to know what to do` : `Unknown command "${two}"`,
      near ? `Did you mean "${near}"?` : `It is one of: ${names.map(name => `"${name}"`).join(', ')}`,
    )
  }
  const word = words[0] ?? ''
  const near = synonyms[word] ?? nearest(word, new Set(commands.map(command => command.name)))
  throw usage(`Unknown command "${word}"`, near ? `Did you mean "${near}"?` : 'Run "tscompose --help" for all commands')
}

/** Words other tools use for the same. */
const synonyms: Readonly<Record<string, string>> = {
  apply: 'up',
  convert: 'config',
  diff: 'plan',
  help: '--help',
  list: 'ls',
  log: 'logs',
  status: 'ps',
  validate: 'config --quiet',
}
