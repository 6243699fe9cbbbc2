/** A command's call for a stack of the web view: as if it were typed in the folder of that stack, what it says caught line by line. */
import type { StackPlace } from '../web/roads.ts'
import type { Call } from './command.ts'
import { Interrupts } from './interrupts.ts'
import { projectName } from './project.ts'
import { Screen, type Sink } from './screen.ts'
import { withDotEnv } from './variables.ts'

/** Variables that are about one stack: that of the folder in which the view was started, and none of the others'. */
const ofOneStack = ['COMPOSE_FILE', 'COMPOSE_PROJECT_NAME', 'COMPOSE_PROFILES', 'COMPOSE_ENV_FILES']

export async function callFor(base: Call, place: StackPlace, onLine: (line: string) => void): Promise<Call> {
  const { directory, files } = place
  const globals = {
    ...base.globals,
    file: files,
    'project-directory': directory,
    'project-name': undefined,
    'env-file': [],
    profile: [],
    progress: 'json',
    'dry-run': false,
  } as const
  const outer = Object.fromEntries(Object.entries(base.env).filter(([name]) => !ofOneStack.includes(name)))
  const env = await withDotEnv(outer, globals, directory)
  const sink = lineSink(onLine)
  const interrupts = new Interrupts()
  const call: Call = {
    ...base,
    options: {},
    args: [],
    globals,
    env,
    cwd: directory,
    interrupts,
    signal: interrupts.signal,
    screen: new Screen({ stdout: sink, stderr: sink, stdinIsTTY: false, env, ansi: 'never' }),
    connect: base.connect,
  }
  const name = await nameOf(call)
  return name === place.name ? call : { ...call, globals: { ...globals, 'project-name': place.name } }
}

/** What its files call it; undefined where they cannot be read: whoever reads them next says why. */
async function nameOf(call: Call): Promise<string | undefined> {
  try {
    return await projectName(call)
  } catch {
    // whoever reads its files next says why
    return undefined
  }
}

function lineSink(onLine: (line: string) => void): Sink {
  let rest = ''
  return {
    write(text) {
      const lines = (rest + (typeof text === 'string' ? text : Buffer.from(text).toString('utf8'))).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line.trim() !== '') onLine(line)
      return true
    },
  }
}
