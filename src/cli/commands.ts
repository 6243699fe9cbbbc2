/**
 * The table of commands. A command's options stand in its own file, as on its manual page; this table holds what is
 * needed before that file is loaded, so that no command pays for the imports of another.
 */
import { nearest } from '../lib/problems.ts'
import type { CommandRow } from './command.ts'
import { usage } from './options.ts'

const stacks = 'Stacks'
const services = 'Services'
const look = 'Looking'
const containers = 'Inside containers'
const rest = 'Engine and images'

export const commands: readonly CommandRow[] = [
  {
    name: 'up',
    group: stacks,
    summary: 'Create and start what the stack describes',
    load: async () => (await import('./commands/up.ts')).up,
  },
  {
    name: 'down',
    group: stacks,
    summary: 'Stop and remove the containers and networks of the stack',
    load: async () => (await import('./commands/down.ts')).down,
  },
  {
    name: 'plan',
    group: stacks,
    summary: 'Show what up would do, and why',
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  {
    name: 'config',
    group: stacks,
    summary: 'Show the stack as it is understood',
    load: async () => (await import('./commands/config.ts')).config,
  },
  {
    name: 'convert',
    group: stacks,
    summary: 'The same as config, by its old name',
    load: async () => (await import('./commands/config.ts')).config,
  },
  {
    name: 'graph',
    group: stacks,
    summary: 'Draw who needs whom',
    load: async () => (await import('./commands/graph.ts')).graph,
  },
  {
    name: 'build',
    group: stacks,
    summary: 'Build the images of services',
    load: async () => (await import('./commands/build.ts')).build,
  },
  {
    name: 'pull',
    group: stacks,
    summary: 'Pull the images of services',
    load: async () => (await import('./commands/pull.ts')).pull,
  },
  {
    name: 'push',
    group: stacks,
    summary: 'Push the images of services',
    load: async () => (await import('./commands/push.ts')).push,
  },
  {
    name: 'lock',
    group: stacks,
    summary: 'Pin the images of the stack in compose.lock',
    load: async () => (await import('./commands/lock.ts')).lock,
  },
  {
    name: 'ls',
    group: stacks,
    summary: 'List the projects that have containers',
    load: async () => (await import('./commands/ls.ts')).ls,
  },

  {
    name: 'create',
    group: services,
    summary: 'Create containers without starting them',
    load: async () => (await import('./commands/create.ts')).create,
  },
  {
    name: 'start',
    group: services,
    summary: 'Start the containers of services',
    load: async () => (await import('./commands/start.ts')).start,
  },
  {
    name: 'stop',
    group: services,
    summary: 'Stop the containers of services',
    load: async () => (await import('./commands/stop.ts')).stop,
  },
  {
    name: 'restart',
    group: services,
    summary: 'Stop and start the containers of services',
    load: async () => (await import('./commands/restart.ts')).restart,
  },
  {
    name: 'kill',
    group: services,
    summary: 'Send a signal to the containers of services',
    load: async () => (await import('./commands/kill.ts')).kill,
  },
  {
    name: 'pause',
    group: services,
    summary: 'Freeze the containers of services',
    load: async () => (await import('./commands/pause.ts')).pause,
  },
  {
    name: 'unpause',
    group: services,
    summary: 'Let frozen containers go on',
    load: async () => (await import('./commands/unpause.ts')).unpause,
  },
  {
    name: 'scale',
    group: services,
    summary: 'Change how many replicas services have',
    load: async () => (await import('./commands/scale.ts')).scale,
  },
  {
    name: 'wait',
    group: services,
    summary: 'Wait until containers of services end',
    load: async () => (await import('./commands/wait.ts')).wait,
  },
  {
    name: 'rm',
    group: services,
    summary: 'Remove stopped containers of services',
    load: async () => (await import('./commands/rm.ts')).rm,
  },

  {
    name: 'ps',
    group: look,
    summary: 'List the containers of the stack',
    load: async () => (await import('./commands/ps.ts')).ps,
  },
  {
    name: 'logs',
    group: look,
    summary: 'Show what containers have printed',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  {
    name: 'events',
    group: look,
    summary: 'Show what happens to the containers, as it happens',
    load: async () => (await import('./commands/events.ts')).events,
  },
  {
    name: 'top',
    group: look,
    summary: 'Show the processes of containers',
    load: async () => (await import('./commands/top.ts')).top,
  },
  {
    name: 'port',
    group: look,
    summary: 'Show where a port of a container is published',
    load: async () => (await import('./commands/port.ts')).port,
  },
  {
    name: 'images',
    group: look,
    summary: 'List the images the containers were made from',
    load: async () => (await import('./commands/images.ts')).images,
  },
  {
    name: 'explain',
    group: look,
    summary: 'Show the steps that made a container, each with its cause',
    load: async () => (await import('./commands/explain.ts')).explain,
  },
  {
    name: 'stats',
    group: look,
    summary: 'Show what containers use: processor, memory, network',
    load: async () => (await import('./commands/stats.ts')).stats,
  },
  {
    name: 'volumes',
    group: look,
    summary: 'List the volumes of the stack',
    load: async () => (await import('./commands/volumes.ts')).volumes,
  },

  {
    name: 'exec',
    group: containers,
    summary: 'Run a command in a running container',
    load: async () => (await import('./commands/exec.ts')).exec,
  },
  {
    name: 'run',
    group: containers,
    summary: 'Run a command in a new container of a service',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'cp',
    group: containers,
    summary: 'Copy files between a container and here',
    load: async () => (await import('./commands/cp.ts')).cp,
  },
  {
    name: 'attach',
    group: containers,
    summary: 'Join the first process of a container',
    load: async () => (await import('./commands/attach.ts')).attachCommand,
  },
  {
    name: 'export',
    group: containers,
    summary: 'Write the files of a container as a tar archive',
    load: async () => (await import('./commands/export.ts')).exportCommand,
  },
  {
    name: 'commit',
    group: containers,
    summary: 'Make an image of what a container has become',
    load: async () => (await import('./commands/commit.ts')).commit,
  },

  {
    name: 'login',
    group: rest,
    summary: 'Log in to a registry',
    load: async () => (await import('./commands/login.ts')).login,
  },
  {
    name: 'logout',
    group: rest,
    summary: 'Log out of a registry',
    load: async () => (await import('./commands/logout.ts')).logout,
  },
  {
    name: 'image ls',
    group: rest,
    summary: 'List the images of the engine',
    load: async () => (await import('./commands/image-ls.ts')).imageLs,
  },
  {
    name: 'image load',
    group: rest,
    summary: 'Load images from an archive',
    load: async () => (await import('./commands/image-load.ts')).imageLoad,
  },
  {
    name: 'image import',
    group: rest,
    summary: 'Make an image from a root file system',
    load: async () => (await import('./commands/image-import.ts')).imageImport,
  },
  {
    name: 'image rm',
    group: rest,
    summary: 'Remove images',
    load: async () => (await import('./commands/image-rm.ts')).imageRm,
  },
  {
    name: 'image pull',
    group: rest,
    summary: 'Pull an image',
    load: async () => (await import('./commands/image-pull.ts')).imagePull,
  },
  {
    name: 'image push',
    group: rest,
    summary: 'Push an image',
    load: async () => (await import('./commands/image-push.ts')).imagePush,
  },
  {
    name: 'image tag',
    group: rest,
    summary: 'Give an image another name',
    load: async () => (await import('./commands/image-tag.ts')).imageTag,
  },
  {
    name: 'image save',
    group: rest,
    summary: 'Write images as an archive',
    load: async () => (await import('./commands/image-save.ts')).imageSave,
  },
  {
    name: 'image history',
    group: rest,
    summary: 'Show how an image came to be',
    load: async () => (await import('./commands/image-history.ts')).imageHistory,
  },
  {
    name: 'image prune',
    group: rest,
    summary: 'Remove images that nobody uses',
    load: async () => (await import('./commands/image-prune.ts')).imagePrune,
  },
  {
    name: 'df',
    group: rest,
    summary: 'Show what takes how much of the disk, by project',
    load: async () => (await import('./commands/df.ts')).df,
  },
  {
    name: 'engine',
    group: rest,
    summary: 'Run the engine in the foreground',
    load: async () => (await import('./commands/engine.ts')).engine,
  },
  {
    name: 'engine status',
    group: rest,
    summary: 'Tell whether an engine answers, and which',
    load: async () => (await import('./commands/engine-status.ts')).engineStatus,
  },
  {
    name: 'engine stop',
    group: rest,
    summary: 'Stop the engine; containers run on',
    load: async () => (await import('./commands/engine-stop.ts')).engineStop,
  },
  {
    name: 'completion',
    group: rest,
    summary: 'Print the script by which a shell completes all this',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
  {
    name: 'support',
    group: rest,
    summary: 'Show which attributes of the format are honoured',
    load: async () => (await import('./commands/support.ts')).support,
  },
  {
    name: 'version',
    group: rest,
    summary: 'Show the versions of tscompose and its engine',
    load: async () => (await import('./commands/version.ts')).version,
  },
]

/** The command that `words` begin with, the longest name first, and the words after it; undefined for an unknown one. */
export function findCommand(
  words: readonly string[],
): { readonly row: CommandRow; readonly rest: readonly string[] } | undefined {
  const two = words.slice(0, 2).join(' ')
  const long = words.length > 1 ? commands.find(command => command.name === two) : undefined
  if (long) return { row: long, rest: words.slice(2) }
  const short = commands.find(command => command.name === words[0])
  if (short) return { row: short, rest: words.slice(1) }
  const family = commands.filter(command => command.name.startsWith(`${words[0]} `))
  if (family.length === 0) return undefined
  const names = family.map(command => command.name)
  const near = words[1] === undefined ? undefined : nearest(two, names)
  throw usage(
    words[1] === undefined ? `"${words[0]}" needs to know what to do` : `unknown command: "${two}"`,
    near ? `Did you mean "${near}"?` : `It is one of: ${names.map(name => `"${name}"`).join(', ')}`,
  )
}

/** A hint for a word that is no command. */
export function nearCommand(word: string): string | undefined {
  const near = synonyms[word] ?? nearest(word, new Set(commands.map(command => command.name)))
  return near ? `Did you mean "${near}"?` : undefined
}

/** Words other tools use for the same. */
const synonyms: Readonly<Record<string, string>> = {
  apply: 'up',
  diff: 'plan',
  help: '--help',
  list: 'ls',
  log: 'logs',
  status: 'ps',
  validate: 'config --quiet',
}
