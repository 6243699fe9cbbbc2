/** Makes what is handed out, below build/package: one executable, a Debian package, an npm tarball. `npm run package [one-file] [deb] [npm]` */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDebian } from './debian.ts'
import { makeOneFile } from './one-file.ts'
import { koffi, makeTree, manifestOf, place } from './tree.ts'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const output = join(root, 'build/package')
const node = join(root, 'node_modules/node/bin/node')
const kinds = ['one-file', 'deb', 'npm'] as const

const wanted = process.argv.slice(2)
for (const word of wanted)
  if (!kinds.some(kind => kind === word)) throw new TypeError(`Cannot make "${word}": it is ${kinds.join(', ')}`)
const makes = (kind: (typeof kinds)[number]) => wanted.length === 0 || wanted.includes(kind)

const { version } = manifestOf(root)
rmSync(output, { recursive: true, force: true })
mkdirSync(output, { recursive: true })
const tree = join(output, 'tree')
await makeTree(root, tree)
if (makes('npm')) {
  // before anything is put into it that npm installs itself
  execFileSync('npm', ['pack', '--silent', '--pack-destination', output], { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] })
  tell(join(output, `tscompose-${version}.tgz`))
}
for (const path of koffi) place(path, root, tree)
const cli = join(tree, 'build/cli.js')
execFileSync(node, [fileURLToPath(new URL('code-cache.ts', import.meta.url)), cli, `${cli}.cache`], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
if (makes('one-file')) {
  const file = join(output, `tscompose-${version}-linux-x64`)
  await makeOneFile({ root, tree, node, output: file })
  tell(file)
}
if (makes('deb')) {
  const file = join(output, `tscompose_${version}_amd64.deb`)
  await makeDebian({ root, tree, node, output: file })
  tell(file)
}
rmSync(tree, { recursive: true })

function tell(file: string): void {
  console.log(`${file}  ${(statSync(file).size / 1e6).toFixed(1)} MB`)
}
