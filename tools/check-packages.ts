/** Checks the packages as they are published, with publint and Are The Types Wrong; exits non-zero on any complaint. */
import { packageFaults } from './package-faults.ts'
import { packPackages } from './packed.ts'

const packed = packPackages()
try {
  for (const [name, tarball] of Object.entries(packed.tarballs)) {
    const faults = await packageFaults(tarball)
    console.log(faults.length === 0 ? `${name}: published as it should be` : `${name}:\n${faults.join('\n')}`)
    if (faults.length > 0) process.exitCode = 1
  }
} finally {
  packed.remove()
}
