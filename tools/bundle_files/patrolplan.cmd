@echo off
"%~dp0environment\Scripts\patrolplan.exe" %*
