/** API versions: the range we speak, how two compare, which one two sides agree on. */
import { Failure } from '../lib/failure.ts'

export const newestVersion = '1.51'
export const oldestVersion = '1.24'
/** The newest release of Docker Engine whose newest version that is: clients tell by it what an engine can do. */
export const dockerRelease = '28.5.2'

/** Below, at or above zero. Versions are "major.minor"; 1.9 < 1.24. */
export function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number)
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number)
  return aMajor - bMajor || aMinor - bMinor
}

export function isVersion(text: string): boolean {
  return /^\d{1,4}\.\d{1,4}$/.test(text)
}

/** The newest that both know; a server that tells none is taken for the oldest. */
export function negotiateVersion(server: string | undefined): string {
  if (server === undefined || !isVersion(server)) return oldestVersion
  return compareVersions(server, newestVersion) < 0 ? server : newestVersion
}

/** @throws Failure `invalid` in the words Docker's clients match. */
export function checkVersion(version: string): void {
  if (compareVersions(version, newestVersion) > 0)
    throw new Failure(
      'invalid',
      `client version ${version} is too new. Maximum supported API version is ${newestVersion}`,
    )
  if (compareVersions(version, oldestVersion) < 0)
    throw new Failure(
      'invalid',
      `client version ${version} is too old. Minimum supported API version is ${oldestVersion}, please upgrade your client to a newer version`,
    )
}
