/**
 * The table of commands. A command's options stand in its own file, as on its manual page; this table holds what is
 * needed before that file is loaded, so that no command pays for the imports of another.
 */
import type { CommandRow } from './command.ts'

type Row = readonly [name: string, summary: string, load: CommandRow['load']]

/** By the heading they have in the overview, in its order. */
const groups: Readonly<Record<string, readonly Row[]>> = {
  Stacks: [
    ['up', 'Create and start what the stack describes', async () => (await import('./commands/up.ts')).up],
    [
      'down',
      'Stop and remove the containers and networks of the stack',
      async () => (await import('./commands/down.ts')).down,
    ],
    [
      'watch',
      'Bring the stack up, and follow the changes of its files and sources',
      async () => (await import('./commands/watch.ts')).watch,
    ],
    ['plan', 'Show what up would do, and why', async () => (await import('./commands/plan.ts')).plan],
    ['config', 'Show the stack as it is understood', async () => (await import('./commands/config.ts')).config],
    ['convert', 'The same as config, by its old name', async () => (await import('./commands/config.ts')).config],
    ['graph', 'Draw who needs whom', async () => (await import('./commands/graph.ts')).graph],
    ['audit', 'Show what the stack grants and risks', async () => (await import('./commands/audit.ts')).audit],
    ['build', 'Build the images of services', async () => (await import('./commands/build.ts')).build],
    ['pull', 'Pull the images of services', async () => (await import('./commands/pull.ts')).pull],
    ['push', 'Push the images of services', async () => (await import('./commands/push.ts')).push],
    ['lock', 'Pin the images of the stack in compose.lock', async () => (await import('./commands/lock.ts')).lock],
    ['jobs', 'List the jobs of the stack, and how they ended', async () => (await import('./commands/jobs.ts')).jobs],
    ['ls', 'List the projects that have containers', async () => (await import('./commands/ls.ts')).ls],
    [
      'migrate',
      'Move a project from a Docker Engine to this one',
      async () => (await import('./commands/migrate.ts')).migrate,
    ],
    [
      'history',
      'List what was applied to the stack, and how it ended',
      async () => (await import('./commands/history.ts')).history,
    ],
    [
      'history show',
      'Show one apply of the history, whole',
      async () => (await import('./commands/history-show.ts')).historyShow,
    ],
    [
      'history diff',
      'Show what one apply wanted otherwise than another',
      async () => (await import('./commands/history-diff.ts')).historyDiff,
    ],
    [
      'rollback',
      'Go back to what an earlier apply made of the stack',
      async () => (await import('./commands/rollback.ts')).rollback,
    ],
    ['target ls', 'List the targets by name', async () => (await import('./commands/target-ls.ts')).targetLs],
    ['target add', 'Give a target a name', async () => (await import('./commands/target-add.ts')).targetAdd],
    [
      'target use',
      'Say which target is meant where nothing is said',
      async () => (await import('./commands/target-use.ts')).targetUse,
    ],
    ['target rm', 'Forget the name of a target', async () => (await import('./commands/target-rm.ts')).targetRm],
    [
      'snapshot create',
      'Copy the volumes of the stack, with its model and images',
      async () => (await import('./commands/snapshot-create.ts')).snapshotCreate,
    ],
    [
      'snapshot ls',
      'List the snapshots of the stack',
      async () => (await import('./commands/snapshot-ls.ts')).snapshotLs,
    ],
    [
      'snapshot restore',
      'Bring volumes, model and images of a snapshot back',
      async () => (await import('./commands/snapshot-restore.ts')).snapshotRestore,
    ],
    ['snapshot rm', 'Remove snapshots', async () => (await import('./commands/snapshot-rm.ts')).snapshotRm],
  ],
  Services: [
    ['create', 'Create containers without starting them', async () => (await import('./commands/create.ts')).create],
    ['start', 'Start the containers of services', async () => (await import('./commands/start.ts')).start],
    ['stop', 'Stop the containers of services', async () => (await import('./commands/stop.ts')).stop],
    [
      'restart',
      'Stop and start the containers of services',
      async () => (await import('./commands/restart.ts')).restart,
    ],
    ['kill', 'Send a signal to the containers of services', async () => (await import('./commands/kill.ts')).kill],
    ['pause', 'Freeze the containers of services', async () => (await import('./commands/pause.ts')).pause],
    ['unpause', 'Let frozen containers go on', async () => (await import('./commands/unpause.ts')).unpause],
    ['scale', 'Change how many replicas services have', async () => (await import('./commands/scale.ts')).scale],
    ['wait', 'Wait until containers of services end', async () => (await import('./commands/wait.ts')).wait],
    ['rm', 'Remove stopped containers of services', async () => (await import('./commands/rm.ts')).rm],
  ],
  Looking: [
    [
      'ui',
      'Show all stacks on the terminal, and act on them by keys',
      async () => (await import('./commands/ui.ts')).ui,
    ],
    ['ps', 'List the containers of the stack', async () => (await import('./commands/ps.ts')).ps],
    ['logs', 'Show what containers have printed', async () => (await import('./commands/logs.ts')).logs],
    [
      'events',
      'Show what happens to the containers, as it happens',
      async () => (await import('./commands/events.ts')).events,
    ],
    ['top', 'Show the processes of containers', async () => (await import('./commands/top.ts')).top],
    ['port', 'Show where a port of a container is published', async () => (await import('./commands/port.ts')).port],
    ['url', 'Show where to reach what is published', async () => (await import('./commands/url.ts')).url],
    [
      'images',
      'List the images the containers were made from',
      async () => (await import('./commands/images.ts')).images,
    ],
    [
      'explain',
      'Tell what was done for a container and why, and what it may do',
      async () => (await import('./commands/explain.ts')).explain,
    ],
    [
      'stats',
      'Show what containers use: processor, memory, network',
      async () => (await import('./commands/stats.ts')).stats,
    ],
    ['web', 'Show all stacks live in a browser', async () => (await import('./commands/web.ts')).web],
    ['volumes', 'List the volumes of the stack', async () => (await import('./commands/volumes.ts')).volumes],
  ],
  'Inside containers': [
    ['exec', 'Run a command in a running container', async () => (await import('./commands/exec.ts')).exec],
    ['run', 'Run a command in a new container of a service', async () => (await import('./commands/run.ts')).run],
    ['cp', 'Copy files between a container and here', async () => (await import('./commands/cp.ts')).cp],
    [
      'attach',
      'Join the first process of a container',
      async () => (await import('./commands/attach.ts')).attachCommand,
    ],
    [
      'export',
      'Write the files of a container as a tar archive',
      async () => (await import('./commands/export.ts')).exportCommand,
    ],
    [
      'commit',
      'Make an image of what a container has become',
      async () => (await import('./commands/commit.ts')).commit,
    ],
  ],
  'Engine and images': [
    ['login', 'Log in to a registry', async () => (await import('./commands/login.ts')).login],
    ['logout', 'Log out of a registry', async () => (await import('./commands/logout.ts')).logout],
    ['image ls', 'List the images of the engine', async () => (await import('./commands/image-ls.ts')).imageLs],
    ['image load', 'Load images from an archive', async () => (await import('./commands/image-load.ts')).imageLoad],
    [
      'image import',
      'Make an image from a root file system',
      async () => (await import('./commands/image-import.ts')).imageImport,
    ],
    ['image rm', 'Remove images', async () => (await import('./commands/image-rm.ts')).imageRm],
    ['image pull', 'Pull an image', async () => (await import('./commands/image-pull.ts')).imagePull],
    ['image push', 'Push an image', async () => (await import('./commands/image-push.ts')).imagePush],
    ['image tag', 'Give an image another name', async () => (await import('./commands/image-tag.ts')).imageTag],
    ['image save', 'Write images as an archive', async () => (await import('./commands/image-save.ts')).imageSave],
    [
      'image history',
      'Show how an image came to be',
      async () => (await import('./commands/image-history.ts')).imageHistory,
    ],
    [
      'image prune',
      'Remove images that nobody uses',
      async () => (await import('./commands/image-prune.ts')).imagePrune,
    ],
    ['df', 'Show what takes how much of the disk, by project', async () => (await import('./commands/df.ts')).df],
    ['engine', 'Run the engine in the foreground', async () => (await import('./commands/engine.ts')).engine],
    [
      'enable',
      'Have the engine and the keeper start with the machine',
      async () => (await import('./commands/enable.ts')).enable,
    ],
    [
      'engine status',
      'Tell whether an engine answers, and which',
      async () => (await import('./commands/engine-status.ts')).engineStatus,
    ],
    [
      'engine check',
      'Check the settings of the engine, and start none',
      async () => (await import('./commands/engine-check.ts')).engineCheck,
    ],
    [
      'engine stop',
      'Stop the engine; containers run on',
      async () => (await import('./commands/engine-stop.ts')).engineStop,
    ],
    [
      'engine read-stack',
      'Print the stack as the keeper takes it, which watches it',
      async () => (await import('./commands/engine-read-stack.ts')).engineReadStack,
    ],
    [
      'engine dial-stdio',
      'Pass standard input and output on to the engine, for ssh:// hosts',
      async () => (await import('./commands/engine-dial-stdio.ts')).engineDialStdio,
    ],
    [
      'schema',
      'Print the JSON Schema of Compose files, or of --progress json',
      async () => (await import('./commands/schema.ts')).schema,
    ],
    [
      'lsp',
      'Serve an editor: errors, completion, hover and definition in stack files',
      async () => (await import('./commands/lsp.ts')).lsp,
    ],
    [
      'self check',
      'Tell what this machine lacks for the engine, and what that costs',
      async () => (await import('./commands/self-check.ts')).selfCheck,
    ],
    [
      'completion',
      'Print the script by which a shell completes all this',
      async () => (await import('./commands/completion.ts')).completion,
    ],
    [
      'support',
      'Show which attributes of the format are honoured',
      async () => (await import('./commands/support.ts')).support,
    ],
    [
      'version',
      'Show the versions of tscompose and its engine',
      async () => (await import('./commands/version.ts')).version,
    ],
  ],
}

export const commands: readonly CommandRow[] = Object.entries(groups).flatMap(([group, rows]) =>
  rows.map(([name, summary, load]) => ({ name, group, summary, load })),
)
