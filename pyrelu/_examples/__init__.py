"""What the scripts of examples/ share: installed, so that a downloaded one runs by itself."""
