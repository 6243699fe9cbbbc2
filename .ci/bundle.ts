/** src/cli and all it imports → build/cli.js, one file, and each other program likewise; does nothing when that is still fresh. See src/cli/start.cjs. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { bundlePages } from './bundle-pages.ts'
import { bundleProgram, withHeader } from './bundle-program.ts'
import { type Program, programs } from './programs.ts'

const { fresh, headerOf, root, stampOf } = createRequire(import.meta.url)('../src/cli/start.cjs') as {
  readonly root: string
  fresh(inputs: Readonly<Record<string, string>>, folder: string): boolean
  headerOf(text: string): { readonly inputs: Readonly<Record<string, string>> }
  stampOf(file: string): string
}

const folder = join(root, 'build')

/** Of every program, beside what it imports. */
const always = ['.ci/bundle.ts', '.ci/bundle-program.ts', '.ci/programs.ts', 'src/cli/start.cjs', 'node_modules/.package-lock.json']

function isFresh(built: string): boolean {
  try {
    return fresh(headerOf(readFileSync(join(folder, built), 'latin1')).inputs, root)
  } catch {
    // none yet, or not one of ours
    return false
  }
}

async function bundle({ entry, launcher, built }: Program): Promise<void> {
  const stamps = stampsNow()
  const made = await bundleProgram(entry, root)
  write(`${built}.map`, made.map)
  write(built, withHeader(made, inputsOf([...made.files, ...always, launcher], stamps)))
}

const pages = { built: 'pages.json', always: [...always, '.ci/bundle-pages.ts'] }

async function bundleAllPages(): Promise<void> {
  const stamps = stampsNow()
  const { text, files } = await bundlePages(root)
  write(pages.built, `//${JSON.stringify({ inputs: inputsOf([...files, ...pages.always], stamps) })}\n${text}\n`)
}

/** Before they are read: what changes meanwhile shows as changed. */
function stampsNow(): ReadonlyMap<string, string> {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map(file => `src/${file}`)
  return new Map([...sources, 'package.json', ...pages.always].map(file => [file, stampOf(join(root, file))]))
}

function inputsOf(files: readonly string[], stamps: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries([...new Set(files)].filter(file => stamps.has(file)).map(file => [file, stamps.get(file)!]))
}

function write(name: string, text: string): void {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  const part = `${path}.${process.pid}`
  writeFileSync(part, text)
  renameSync(part, path)
}

for (const program of programs) if (!isFresh(program.built)) await bundle(program)
if (!isFresh(pages.built)) await bundleAllPages()
