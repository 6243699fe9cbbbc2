/** A program's sources and all they import → one script that src/cli/start.cjs runs. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Plugin } from 'esbuild'

export interface Bundle {
  /** Of what the script is: the same bytes, the same id. */
  readonly id: string
  /** Files below the root that it was made of. */
  readonly files: readonly string[]
  /** `(function (require, exports, root, file) { … })`: root is where the sources would be, a file: URL that ends with a slash; file is the script's own path. */
  readonly script: string
  /** Which places of the sources those of the script are, behind a header of one line: a source map of revision 3. */
  readonly map: string
}

/** @param entry below `root`, an absolute path */
export async function bundleProgram(entry: string, root: string): Promise<Bundle> {
  if (!isAbsolute(root)) throw new TypeError(`"${root}" is to be absolute`)
  const { build } = await import('esbuild')
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    // the map names sources as seen from there
    outfile: 'build/bundle.js',
    sourcemap: 'external',
    sourcesContent: false,
    platform: 'node',
    target: 'node24',
    // not ESM: importing a builtin there reads each of its getters, and some of those load half of Node
    format: 'cjs',
    supported: { 'dynamic-import': false },
    define: { 'import.meta.main': 'false', 'import.meta.filename': 'file' },
    plugins: [ownUrl(root), englishOnly],
    minifyWhitespace: true,
    minifySyntax: true,
    // a stack trace shows the line it came from
    lineLimit: 160,
    logLevel: 'warning',
  })
  // Read as one byte a character, half the time of utf8: esbuild escapes all that is not ASCII but in regular expressions.
  const [map, text] = ['.map', '.js'].map(end => outputFiles.find(({ path }) => path.endsWith(end))!.text) as [string, string]
  const code = text.replace(/[^\0-\x7f]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return {
    id: createHash('sha256').update(code).digest('hex').slice(0, 16),
    files: Object.keys(metafile.inputs),
    script: `(function (require, exports, root, file) { const module = { exports }\n${code}\nObject.assign(exports, module.exports) })\n`,
    map: shifted(map, 2),
  }
}

/** The file that start.cjs reads: the script behind a line that says what it was made of. */
export function withHeader({ id, script }: Bundle, inputs: Readonly<Record<string, string>>): string {
  return `//${JSON.stringify({ id, inputs })}\n${script}`
}

/** A source map of a script that has come to stand `lines` lower. */
function shifted(map: string, lines: number): string {
  const { mappings, ...others } = JSON.parse(map) as { readonly mappings: string }
  return JSON.stringify({ ...others, mappings: ';'.repeat(lines) + mappings })
}

/** Each file keeps its own import.meta.url, under wherever the bundle's root is; what is no native code is bundled though it is loaded late. */
function ownUrl(root: string): Plugin {
  return {
    name: 'own-url',
    setup(build) {
      build.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
        contents: readFileSync(path, 'utf8')
          .replaceAll("createRequire(import.meta.url)('re2js')", "require('re2js')")
          .replaceAll('import.meta.url', `(root + ${JSON.stringify(path.slice(root.length + 1))})`),
        loader: 'ts',
      }))
    },
  }
}

/** What zod says in forty languages is an eighth of a program's text, which is read at each start; English is what it has without being asked. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup(build) {
    build.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({ contents: "export { default as en } from './en.js'\n", loader: 'js' }))
  },
}
