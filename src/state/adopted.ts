/** The folder that took a project over from another: containers that were not made anew still carry the label of the old one. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { readDocument, writeDocument } from './document.ts'
import { projectFolder, type StateOf } from './folder.ts'

export function readAdopted(project: string, of: StateOf): string | undefined {
  const directory = readDocument(pathOf(project, of), 1)?.['directory']
  return typeof directory === 'string' ? directory : undefined
}

/** Undefined: the labels say it all again. */
export function writeAdopted(project: string, directory: string | undefined, of: StateOf): void {
  const path = pathOf(project, of)
  if (directory === undefined) rmSync(path, { force: true })
  else writeDocument(path, JSON.stringify({ version: 1, directory }))
}

function pathOf(project: string, of: StateOf): string {
  return join(projectFolder(project, of), 'folder.json')
}
