/** The pages as they were bundled at set-up (.ci/bundle-pages.ts): `build/pages.json`, each file gzipped. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { isOneFile } from '../installation/own-program.ts'
import { errnoOf, Failure } from '../lib/failure.ts'

export interface Asset {
  readonly type: string
  readonly gzip: Buffer
}

/** By the path they are asked for: "/assets/main-3FA2B1C0.js"; `entry` and `style` are what the first page names. */
export interface Pages {
  readonly files: ReadonlyMap<string, Asset>
  readonly entry: string
  readonly style: string
}

export function readPages(): Pages {
  const text = packedText()
  // past its first line, by which .ci/bundle.ts knows whether it is fresh
  const packed = JSON.parse(text.slice(text.indexOf('\n') + 1)) as {
    readonly entry: string
    readonly style: string
    readonly files: Readonly<Record<string, { readonly type: string; readonly gzip: string }>>
  }
  const files = Object.entries(packed.files).map(
    ([path, { type, gzip }]) => [path, { type, gzip: Buffer.from(gzip, 'base64') }] as const,
  )
  return { files: new Map(files), entry: packed.entry, style: packed.style }
}

function packedText(): string {
  if (isOneFile()) return Buffer.from(process.getBuiltinModule('node:sea').getRawAsset('pages.json')).toString('utf8')
  if (isOneFile()) return Buffer.from(process.getBuiltinModule('node:sea').getRawAsset('pages.json')).toString()
  const path = fileURLToPath(new URL('../../build/pages.json', import.meta.url))
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause
    throw new Failure('not-found', 'Cannot show the web view: its pages have not been bundled', {
      hint: 'Run .ci/setup in the checkout',
      cause,
    })
  }
}

/** As a client takes it. */
export function bodyOf({ gzip }: Asset, acceptsGzip: boolean): Buffer {
  return acceptsGzip ? gzip : gunzipSync(gzip)
}
