import { readFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { release } from '../../installation/release.ts'
import type { Checked } from '../../language/server.ts'
import { errnoOf, Failure } from '../../lib/failure.ts'
import { type Place, type Problem, ProblemsFailure } from '../../lib/problems.ts'
import { type Call, command } from '../command.ts'
import { loadProject } from '../project.ts'
import type { Screen } from '../screen.ts'
import { withDotEnv } from '../variables.ts'

export const lsp = command({
  usage: '[--stdio]',
  about:
    'The errors and warnings of config, completion, what an attribute does and where a name is given, for every editor that speaks the Language Server Protocol. A file that is not saved counts as the editor has it. In Neovim, for a buffer: vim.lsp.start({ name = "tscompose", cmd = { "tscompose", "lsp" } })',
  words: [0, 0],
  options: { stdio: { kind: 'flag', about: 'Accepted: it speaks over standard input and output anyway' } },
  examples: [['tscompose lsp', 'what an editor starts']],
  async run(call) {
    const [{ serve }, { stackSchema }, { attributePaths }, { supportTable }] = await Promise.all([
      import('../../language/server.ts'),
      import('../../stack/json-schema.ts'),
      import('../../stack/attributes.ts'),
      import('../../targets/engine/support.ts'),
    ])
    return await serve({
      input: call.stdin instanceof Readable ? call.stdin : Readable.from(call.stdin),
      output: outputOf(call.screen),
      version: release,
      schema: stackSchema(supportTable(attributePaths())),
      check: (file, unsaved) => check(call, file, unsaved),
      readFile,
      signal: call.signal,
    })
  },
})

function outputOf(screen: Screen): Writable {
  return new Writable({
    write: (chunk: Uint8Array, _encoding, done) => void screen.writeOut(chunk).then(() => done(), done),
  })
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined
    throw error
  }
}

/** Found by themselves, together with what is laid over them. */
const found = /^(?:docker-)?compose(?:\.override)?\.ya?ml$/

/** As `config` in the folder of the file. */
async function check(call: Call, file: string, unsaved: ReadonlyMap<string, string>): Promise<Checked> {
  const cwd = dirname(file)
  const own = call.globals.file.length === 0 && !found.test(basename(file))
  const globals = own ? { ...call.globals, file: [file] } : call.globals
  const within = { ...call, cwd, globals, env: await withDotEnv(call.processEnv, globals, cwd) }
  let warnings: readonly Problem[] = []
  try {
    const { project } = await loadProject(within, {
      making: 'text',
      unsaved,
      onWarnings: all => {
        warnings = all
      },
    })
    return {
      problems: warnings,
      stack: { names: section => Object.keys(project[section]), place: path => placeFrom(cwd, project.place(path)) },
    }
  } catch (error) {
    if (error instanceof ProblemsFailure) return { problems: error.problems }
    if (!(error instanceof Failure) || error.kind === 'internal') throw error
    const { message, hint } = error
    return { problems: [{ severity: 'error', code: error.kind, place: undefined, path: [], message, hint }] }
  }
}

/** With the path of its file from the root. */
function placeFrom(cwd: string, place: Place | undefined): Place | undefined {
  return place && { ...place, file: resolve(cwd, place.file) }
}
