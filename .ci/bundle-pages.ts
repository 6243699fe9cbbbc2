/** src/web/pages and the libraries it uses → one document with all files that a browser is sent, each gzipped; see src/web/assets.ts. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface PagesBundle {
  /** JSON of one line. */
  readonly text: string
  /** Files below the root that it was made of. */
  readonly files: readonly string[]
}

const types: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css' }

export async function bundlePages(root: string): Promise<PagesBundle> {
  const { build } = await import('esbuild')
  const out = join(root, 'build/pages')
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/web/pages/main.tsx'],
    tsconfig: join(root, 'src/web/pages/tsconfig.json'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    // what browsers of the last two years have
    target: ['chrome120', 'firefox121', 'safari17'],
    outdir: out,
    entryNames: 'assets/[name]-[hash]',
    chunkNames: 'assets/[name]-[hash]',
    minify: true,
    write: false,
    metafile: true,
    logLevel: 'warning',
  })
  const files: Record<string, { readonly type: string; readonly gzip: string }> = {}
  for (const { path, contents } of outputFiles) {
    const type = types[path.slice(path.lastIndexOf('.') + 1)]
    if (type === undefined) throw new Error(`"${path}" is of no type that the web view serves`)
    files[path.slice(out.length)] = { type, gzip: gzipSync(contents, { level: 9 }).toString('base64') }
  }
  const entry = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint !== undefined)
  if (!entry?.[1].cssBundle) throw new Error('the pages have no entry or no style')
  const urlOf = (path: string): string => path.slice('build/pages'.length)
  return {
    text: JSON.stringify({ entry: urlOf(entry[0]), style: urlOf(entry[1].cssBundle), files }),
    files: Object.keys(metafile.inputs),
  }
}
