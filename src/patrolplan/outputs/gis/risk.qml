<qgis version="3.22.0-Białowieża" labelsEnabled="1" styleCategories="Symbology|Labeling|Fields|Forms|Temporal">
 <renderer-v2 type="graduatedSymbol" attr="risk_class" symbollevels="1" graduatedMethod="GraduatedColor">
  <ranges>
   {% for one in classes %}
   <range symbol="{{ loop.index0 }}" lower="{{ one.level - 0.5 }}" upper="{{ one.level + 0.5 }}" label="{{ one.words }}" render="{{ "false" if covers_streets and loop.last else "true" }}" />
   {% endfor %}
  </ranges>
  <symbols>
   <symbol name="0" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="4">
     <Option type="Map">
      <Option name="line_color" value="63,0,125,255" type="QString" />
      <Option name="line_width" value="1.5" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="1" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="3">
     <Option type="Map">
      <Option name="line_color" value="106,81,163,255" type="QString" />
      <Option name="line_width" value="1.2" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="2" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="2">
     <Option type="Map">
      <Option name="line_color" value="158,154,200,255" type="QString" />
      <Option name="line_width" value="0.9" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="3" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="1">
     <Option type="Map">
      <Option name="line_color" value="203,201,226,255" type="QString" />
      <Option name="line_width" value="0.7" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
   <symbol name="4" type="line" alpha="1">
    <layer class="SimpleLine" enabled="1" locked="0" pass="0">
     <Option type="Map">
      <Option name="line_color" value="184,184,184,255" type="QString" />
      <Option name="line_width" value="0.2" type="QString" />
      <Option name="line_width_unit" value="MM" type="QString" />
      <Option name="capstyle" value="round" type="QString" />
      <Option name="joinstyle" value="round" type="QString" />
     </Option>
    </layer>
   </symbol>
  </symbols>
 </renderer-v2>
 <labeling type="simple">
  <settings calloutType="simple">
   <text-style fieldName="name" isExpression="0" fontSize="7" fontSizeUnit="Point" fontWeight="50" namedStyle="" textColor="64,64,64,255" textOpacity="1">
    <text-buffer bufferDraw="1" bufferSize="0.8" bufferSizeUnits="MM" bufferOpacity="1" bufferColor="255,255,255,255" />
   </text-style>
   <text-format autoWrapLength="0" useMaxLineLengthForAutoWrap="1" multilineAlign="1" />
   <placement placement="3" placementFlags="9" predefinedPositionOrder="R,L,TR,TL,BR,BL,T,B" priority="3" dist="0" distUnits="MM" offsetType="1" repeatDistance="90" repeatDistanceUnits="MM" maxCurvedCharAngleIn="25" maxCurvedCharAngleOut="-25" />
   <rendering scaleVisibility="1" scaleMin="0" scaleMax="9000" mergeLines="1" obstacle="1" obstacleFactor="2" drawLabels="1" minFeatureSize="0" />
  </settings>
 </labeling>
</qgis>
