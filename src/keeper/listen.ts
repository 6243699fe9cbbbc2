/** The keeper's socket, which is its lock too: at most one keeper listens on a path. */
import { chmodSync, linkSync, lstatSync, renameSync, rmSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { errnoOf, Failure } from '../lib/failure.ts'

/** Only its group may speak to it beside its owner. */
const mode = 0o660

/**
 * Has the server listen on `path`. It is bound under a name of its own and then linked, so that of two that start at once one fails.
 * @throws Failure `conflict` when another one answers there
 */
export async function listenAlone(server: Server, path: string): Promise<void> {
  const own = `${path}.${process.pid}`
  rmSync(own, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(own, resolve)
  })
  chmodSync(own, mode)
  try {
    await placeAt(path, own)
  } finally {
    rmSync(own, { force: true })
  }
}

async function placeAt(path: string, own: string): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      linkSync(own, path)
      return
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error
    }
    const there = lstatSync(path, { throwIfNoEntry: false })
    if (await answers(path)) throw new Failure('conflict', `Another keeper listens at "${path}"`)
    // left behind by one that was killed; what has come in its place meanwhile is put back
    const aside = `${own}.old`
    try {
      renameSync(path, aside)
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') continue
      throw error
    }
    if (lstatSync(aside).ino !== there?.ino) {
      try {
        linkSync(aside, path)
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw error
      }
    }
    rmSync(aside, { force: true })
  }
  throw new Failure('conflict', `Cannot listen at "${path}": others take the place again and again`)
}

/** Whether somebody accepts connections there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', error => {
      if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ECONNREFUSED') resolve(false)
      else reject(error)
    })
  })
}
