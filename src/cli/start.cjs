/**
 * Runs the command line: out of build/cli.js, where all of it is one file, or from its sources when that is not there or
 * any source has changed since. Loading 130 modules costs 60 ms, one file 10.
 *
 * In JavaScript, as the one file that is always loaded: nothing has to be stripped from it.
 */
'use strict'
const fs = require('node:fs')
const path = require('node:path')

const root = path.join(__dirname, '../..')
const built = path.join(root, 'build/cli.js')

if (require.main === module) launch(built, () => import('./main.ts'))

/**
 * Runs what `file` was built of, or the sources.
 *
 * @param {string} file one of .ci/bundle.ts
 * @param {() => Promise<{ start(): unknown }>} sources
 */
function launch(file, sources) {
  const text = read(file)
  const header = text === undefined ? undefined : headerOf(text)
  if (header && fresh(header.inputs, root)) runBuilt(file, text, header.id)
  else void sources().then(({ start }) => start())
}

/**
 * What `.ci/bundle.ts` knows of its work: the first line of the file, a comment.
 *
 * @returns {{ id: string, inputs: Record<string, string> }}
 */
function headerOf(text) {
  return JSON.parse(text.slice(2, text.indexOf('\n')))
}

/** Whether all that the file was made of is as it was, to the nanosecond: 130 stats, half a millisecond. */
function fresh(inputs, folder) {
  for (const file in inputs) if (stampOf(`${folder}/${file}`) !== inputs[file]) return false
  return true
}

/** Time and size of a file; "none" when there is none. */
function stampOf(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false })
  return stat ? `${stat.mtimeMs} ${stat.size}` : 'none'
}

function runBuilt(file, text, id) {
  const { Script } = require('node:vm')
  // a package brings its own
  const shipped = read(`${file}.cache`, null)
  const cache = shipped ? undefined : codeCache(path.basename(file, '.js'), id)
  const cachedData = shipped ?? (cache && kept(cache))
  const script = new Script(text, { filename: file, cachedData })
  if (cache && (cachedData === undefined || script.cachedDataRejected))
    process.once('exit', code => {
      if (code === 0) keep(cache, script.createCachedData())
    })
  const exports = {}
  script.runInThisContext()(require, exports, `${require('node:url').pathToFileURL(root)}/`, file)
  exports.start()
}

/**
 * Where the compiled code of this program, for this command, is kept. Node's own cache, in the same folder, keeps none of the functions that
 * are compiled while a program runs, which costs 20 ms; and each command uses others. The launcher has seen to it that the
 * folder is only this user's: whoever can write there chooses the code we run.
 */
function codeCache(program, id) {
  const folder = process.env.NODE_COMPILE_CACHE
  const [, , word] = process.argv
  const use = program === 'cli' && /^[a-z]{2,12}$/.test(word) ? word : 'any'
  return folder ? { folder, prefix: `${program}-`, id, use } : undefined
}

function fileOf({ folder, prefix, id, use }) {
  return path.join(folder, `${prefix}${id}-${use}`)
}

function kept(cache) {
  try {
    return read(fileOf(cache), null)
  } catch {
    // a folder of another user, say: it is compiled again
    return undefined
  }
}

/** Written whole or not at all, in place of what other builds have left. */
function keep(cache, data) {
  const { folder, prefix, id } = cache
  const file = fileOf(cache)
  const part = `${file}.${process.pid}`
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const name of fs.readdirSync(folder))
      if (name.startsWith(prefix) && !name.startsWith(`${prefix}${id}-`)) fs.rmSync(path.join(folder, name), { force: true })
    fs.writeFileSync(part, data, { mode: 0o600, flag: 'wx' })
    fs.renameSync(part, file)
  } catch {
    // a full or read-only disk: the next run compiles again, nothing else is lost
    try {
      fs.rmSync(part, { force: true })
    } catch {
      // nor can it be written to
    }
  }
}

function read(file, encoding = 'latin1') {
  try {
    return fs.readFileSync(file, encoding)
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

module.exports = { fresh, headerOf, stampOf, launch, built, root }
