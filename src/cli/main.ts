/** Command-line words → a command → an exit code; the last resort for errors. */
import { isatty } from 'node:tty'
import type { Client } from '../client/client.ts'
import { Failure } from '../lib/failure.ts'
import type { AnnotationContext } from './annotations.ts'
import type { Call, Command } from './command.ts'
import { commands } from './commands.ts'
import { exitCodeOf } from './exit-codes.ts'
import type { FailureText } from './failures.ts'
import { findCommand, nearCommand } from './find-command.ts'
import { scan } from './flags.ts'
import { Interrupts } from './interrupts.ts'
import { withNamedTarget } from './named-target.ts'
import { type GlobalValues, globalOptions, rootOptions, usage } from './options.ts'
import { Screen } from './screen.ts'
import { targetNameOf } from './target-name.ts'
import type { Input } from './terminal.ts'
import { collect, isTruth, parse, parseVariables, valuesOf } from './values.ts'
import { variableWarnings, withDotEnv } from './variables.ts'

/** What a run of tscompose is given; tests give their own. */
export interface World {
  readonly stdout: Screen['stdout']
  readonly stderr: Screen['stderr']
  readonly stdin: Input
  readonly stdinIsTTY: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly interrupts: Interrupts
  /** Instead of an engine; the seam of tests. */
  readonly connect?: (globals: GlobalValues) => Promise<Client>
}

/** Runs one command line; never throws. */
export async function main(argv: readonly string[], world: World): Promise<number> {
  if (argv[0] === 'docker-cli-plugin-metadata') return await tellDocker(world)
  if (world.env['DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND'] === undefined) return await run(argv, world)
  try {
    const { pluginCall } = await import('./docker-plugin.ts')
    const call = pluginCall(argv, world.env)
    return await run(call?.argv ?? argv, Object.create(world, { env: { value: call?.env ?? world.env } }) as World)
  } catch (error) {
    const { printFailure } = await import('./failures.ts')
    printFailure(error, screenOf(world, 'auto'), { verbose: false, json: false })
    return exitCodeOf(error)
  }
}

async function tellDocker(world: World): Promise<number> {
  const [{ pluginMetadata }, { release }] = await Promise.all([
    import('./docker-plugin.ts'),
    import('../installation/release.ts'),
  ])
  screenOf(world, 'never').print(pluginMetadata(release))
  return 0
}

async function run(argv: readonly string[], world: World): Promise<number> {
  let screen = screenOf(world, 'auto')
  let verbose = argv.includes('--verbose')
  let json = false
  let annotated: Omit<AnnotationContext, 'screen'> | undefined
  try {
    const { options: before, words } = scan(argv, rootOptions, true)
    const early = collect(before)
    const root = valuesOf(rootOptions, early)
    screen = screenOf(world, ansiOf(root))
    if (root.version) return await run(['version'], world)
    if (words.length === 0) return await help([], screen)
    if (words[0] === 'help') return await help(words.slice(1), screen)
    const found = findCommand(words)
    if (!found) return await unknown(words[0]!, screen)
    const { row, rest } = found
    const page = await row.load()
    // a command's own -f, -p, -h stand before the global ones of the same letter or name
    const table = { ...withoutShorts(page), ...page.options }
    const late = parse(rest, table, page.passthrough)
    const env = await withDotEnv(world.env, valuesOf(globalOptions, early, late), world.cwd)
    const variables = parseVariables(env, table)
    const globals = valuesOf(globalOptions, variables, early, late)
    verbose = globals.verbose
    screen = screenOf(world, ansiOf(globals))
    if (globals.annotations !== undefined) annotated = { globals, env, cwd: world.cwd }
    if (globals.help) return await help(words, screen)
    for (const warning of [...variables.warnings, ...early.warnings, ...late.warnings, ...variableWarnings(env)])
      screen.warn(warning)
    checkWords(row.name, page, late.args)
    const options = valuesOf(page.options, variables, late) as Call['options']
    json = options['format'] === 'json' || globals.progress === 'json'
    // those that are about names of targets work whatever is in use
    const there = row.name.startsWith('target ') ? { globals, env } : withNamedTarget({ globals, env, cwd: world.cwd })
    const call: Call = {
      options,
      globals: there.globals,
      args: late.args,
      commands,
      screen: isTruth(env['COMPOSE_STATUS_STDOUT'] ?? '') ? screenOf(world, ansiOf(globals), true) : screen,
      env: there.env,
      processEnv: world.env,
      cwd: world.cwd,
      interrupts: world.interrupts,
      signal: world.interrupts.signal,
      // making the stream costs milliseconds that most commands need not spend
      get stdin() {
        return world.stdin
      },
      connect: async () =>
        world.connect
          ? world.connect(there.globals)
          : (await import('./connect.ts')).connect(there.globals, screen, there.env),
    }
    const target = targetNameOf(call)
    if (target !== 'engine') {
      const elsewhere = await (await import('./elsewhere.ts')).commandOn(target, row.name)
      if (elsewhere) return await elsewhere(call)
    }
    return (await page.run(call)) ?? 0
  } catch (error) {
    // After ^C whatever was cut short has failed because of it.
    if (world.interrupts.signal.aborted && !(error instanceof Failure && error.exitCode !== undefined)) return 130
    const { printFailure } = await import('./failures.ts')
    if (annotated) await printAnnotated(error, world, { ...annotated, screen, verbose, json })
    else printFailure(error, screen, { verbose, json })
    return exitCodeOf(error)
  }
}

/** For the log of a CI: GitLab's shows colours, though it is no terminal. */
async function printAnnotated(
  error: unknown,
  world: World,
  { verbose, json, ...context }: AnnotationContext & FailureText,
): Promise<void> {
  const [{ printFailure }, { annotationsOf, notesOf }] = await Promise.all([
    import('./failures.ts'),
    import('./annotations.ts'),
  ])
  const { globals, env, screen } = context
  const coloured = globals.annotations === 'gitlab' && !env['NO_COLOR'] && (globals.ansi ?? 'auto') === 'auto'
  printFailure(error, coloured ? screenOf(world, 'always') : screen, { verbose, json })
  notesOf(error).forEach(annotationsOf(context).note)
}

async function help(words: readonly string[], screen: Screen): Promise<number> {
  const { commandHelp, overview } = await import('./help.ts')
  if (words.length === 0) {
    screen.print(overview(commands, screen.paint))
    return 0
  }
  const found = findCommand(words)
  if (!found) return await unknown(words[0]!, screen)
  screen.print(commandHelp(found.row, await found.row.load(), screen.paint))
  return 0
}

/** A word that is no command: the general help, and what was meant perhaps. */
async function unknown(word: string, screen: Screen): Promise<number> {
  await help([], screen)
  throw usage(`unknown command: "${word}"`, nearCommand(word))
}

/** In cobra's words, which scripts look for. */
function checkWords(name: string, { words: [least, most] = [0, Infinity] }: Command, args: readonly string[]): void {
  const { length } = args
  if (length >= least && length <= most) return
  if (most === 0) throw usage(`unknown command "${args[0]}" for "tscompose ${name}"`)
  const hint = `See "tscompose ${name} --help"`
  if (most === Infinity) throw usage(`requires at least ${least} arg(s), only received ${length}`, hint)
  if (least === most) throw usage(`requires exactly ${least} arg(s), received ${length}`, hint)
  if (least === 0) throw usage(`accepts at most ${most} arg(s), received ${length}`, hint)
  throw usage(`accepts between ${least} and ${most} arg(s), received ${length}`, hint)
}

function ansiOf(globals: GlobalValues): string | undefined {
  return globals['no-ansi'] ? 'never' : globals.ansi
}

function screenOf(world: World, ansi: string | undefined, statusOnStdout = false): Screen {
  return new Screen({
    stdout: world.stdout,
    stderr: world.stderr,
    env: world.env,
    stdinIsTTY: world.stdinIsTTY,
    ansi: ansi === 'always' || ansi === 'never' ? ansi : 'auto',
    statusOnStdout,
  })
}

/** The global options as this command takes them: without the names and letters it uses itself. */
function withoutShorts(page: Command) {
  const taken = new Set(Object.values(page.options).map(spec => spec.short))
  return Object.fromEntries(
    Object.entries(globalOptions).map(([name, { ...spec }]) => {
      if ('short' in spec && taken.has(spec.short)) return [name, { ...spec, short: undefined }]
      return [name, spec]
    }),
  )
}

export type Given = Omit<World, 'interrupts' | 'connect' | 'stdout' | 'stderr'> & {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

/** Runs a command line with signals as its interrupts, to the last byte that is written; a third ^C ends the process. */
export async function runInProcess(argv: readonly string[], given: Given): Promise<number> {
  const interrupts = new Interrupts()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const heard = (name: NodeJS.Signals): void => {
    if (name === 'SIGHUP' && interrupts.hangUp()) return
    if (interrupts.fire(name) === 'leave') process.exit(130)
  }
  for (const name of signals) process.on(name, heard)
  // `tscompose logs | head` ends with head: a reader that has left is no error.
  for (const stream of [given.stdout, given.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!interrupts.hangUp()) process.exit(error.code === 'EPIPE' ? 0 : 1)
    })
  try {
    const code = await main(argv, {
      stdout: given.stdout,
      stderr: given.stderr,
      stdinIsTTY: given.stdinIsTTY,
      // made when it is asked for
      get stdin() {
        return given.stdin
      },
      env: given.env,
      cwd: given.cwd,
      interrupts,
    })
    await Promise.all([given.stdout, given.stderr].map(written))
    return code
  } finally {
    for (const name of signals) process.off(name, heard)
  }
}

/** Runs this process's own command line and ends the process. */
export async function start(): Promise<never> {
  // where a process that waits for the next command would be asked: the launcher's word, and no part of the environment
  const waiting = process.env['TSCOMPOSE_WARM_SOCKET']
  delete process.env['TSCOMPOSE_WARM_SOCKET']
  const code = await runInProcess(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    stdinIsTTY: isatty(0),
    get stdin() {
      return process.stdin
    },
    env: process.env,
    cwd: process.cwd(),
  })
  if (waiting !== undefined) (await import('./waiting.ts')).keepWaiting(waiting, process.env)
  process.exit(code)
}

/** Resolves when a pipe or socket has taken all that was written: exiting before that cuts the end off. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return stream.writableLength === 0 ? Promise.resolve() : new Promise(resolve => stream.write('', () => resolve()))
}

if (import.meta.main) void start()
