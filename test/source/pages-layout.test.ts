/** The wall between pages of the web view and all else: they run in a browser, and know of the server what it tells them. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { browserPackages } from './browser-packages.ts'

const src = fileURLToPath(new URL('../../src', import.meta.url))
const web = readdirSync(join(src, 'web'), { recursive: true, encoding: 'utf8' })
  .filter(file => /\.tsx?$/.test(file))
  .map(file => `web/${file}`)
const isPage = (path: string) => path.startsWith('web/pages/')
const isPackage = (path: string) => browserPackages.some(p => path === p || path.startsWith(`${p}/`))

/** Of what is no page, that which needs no server, and is the same in a browser. */
const anywhere: ReadonlySet<string> = new Set([
  'web/wire.ts',
  // an editor in a browser completes and explains as any other does
  ...['completion', 'hover', 'names', 'position', 'schema'].map(name => `language/${name}.ts`),
])

const imports = web.flatMap(from =>
  [...readFileSync(join(src, from), 'utf8').matchAll(/(import|from)\s*\(?\s*'([^']+)'/g)].map(match => {
    const line = readFileSync(join(src, from), 'utf8').slice(0, match.index).split('\n').at(-1)!
    const to = match[2]!
    return {
      from,
      to: to.startsWith('.') ? relative(src, resolve(src, dirname(from), to)) : to,
      typeOnly: line.startsWith('import type'),
    }
  }),
)

describe('pages of the web view', () => {
  test('import what runs in a browser, and of the rest types only', () => {
    assert.ok(imports.some(each => isPage(each.from)))
    const bad = imports.filter(({ from, to, typeOnly }) => {
      if (!isPage(from) || isPage(to) || to.endsWith('.css') || isPackage(to)) return false
      return !anywhere.has(to) && !(typeOnly && to.startsWith('view/'))
    })
    assert.deepEqual(bad, [])
  })

  test('are imported by no part of the server, nor what they are made with', () => {
    const bad = imports.filter(({ from, to }) => !isPage(from) && (isPage(to) || isPackage(to)))
    assert.deepEqual(bad, [])
  })
})
