/** Stacks written to a temporary folder and loaded, for the tests beside it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Problem, ProblemsFailure } from '../../src/lib/problems.ts'
import { configData } from '../../src/stack/config-output.ts'
import { type LoadedStack, type LoadOptions, loadStack } from '../../src/stack/load.ts'

type Files = Readonly<Record<string, string | Uint8Array>>
type Choices = Partial<LoadOptions> & { readonly env?: Readonly<Record<string, string>> }

/** Writes the files, loads the stack among them, and removes the folder again. */
export async function loadFiles(files: Files, { env, ...options }: Choices = {}): Promise<LoadedStack> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'stack-')))
  const cwd = join(root, 'shop')
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true })
      writeFileSync(join(cwd, name), content)
    }
    return await loadStack({ cwd, environment: { HOME: '/home/me', ...env }, ...options })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

export function load(yaml: string, options: Choices = {}): Promise<LoadedStack> {
  return loadFiles({ 'compose.yaml': yaml }, options)
}

/** What `config` prints, as data. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into it freely
export async function config(yaml: string, options: Choices = {}): Promise<any> {
  return JSON.parse(JSON.stringify(configData(await load(yaml, options))))
}

/** The problems a stack is refused for; throws when it is not. */
export async function problems(files: Files | string, options: Choices = {}): Promise<readonly Problem[]> {
  try {
    await loadFiles(typeof files === 'string' ? { 'compose.yaml': files } : files, options)
  } catch (error) {
    if (error instanceof ProblemsFailure) return error.problems
    throw error
  }
  throw new Error('The stack was accepted')
}

/** "compose.yaml:3:5". */
export function at(problem: Problem | undefined): string {
  return problem?.place ? `${problem.place.file}:${problem.place.line}:${problem.place.column}` : 'nowhere'
}
